"""What of an encoding tells the words rather than the manner: found in the corpora, and taken away."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

DIMENSIONS: Final = 30
"""How many dimensions are taken away; chosen among 30, 60 and 100 on corpora and speakers left out."""

_MOST_COUNTED: Final = 100


def without_wording(
    heard: NDArray[np.float32], sentences: NDArray[np.str_], emotions: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the projection that takes the words away.

    Nuisance attribute projection (Solomonoff, Campbell and Boardman, "Advances in channel compensation for SVM speaker
    recognition", 2005), with sentences as the nuisance: the corpora have each sentence said in every emotion, so that
    what sets sentences apart once the emotions' means are off is wording, which a head would learn by heart.

    Args:
        heard: Encoded clips, float32 array of shape (n, width).
        sentences: What is said in each, str array of shape (n,).
        emotions: How, int array of shape (n,).

    Returns:
        float32 array of shape (width, width), symmetric, of rank width - DIMENSIONS or, of few sentences, more.
    """
    rest = heard.astype(np.float64)
    for emotion in np.unique(emotions):
        chosen = emotions == emotion
        rest[chosen] -= rest[chosen].mean(axis=0)
    names, index = np.unique(sentences, return_inverse=True)
    counts = np.minimum(np.bincount(index), _MOST_COUNTED)
    means = np.stack([rest[index == place].mean(axis=0) for place in range(len(names))]) * np.sqrt(counts)[:, None]
    directions = np.linalg.svd(means, full_matrices=False)[2][:DIMENSIONS]
    return np.asarray(np.eye(heard.shape[1]) - directions.T @ directions, dtype=np.float32)
