"""What tells the sentence is taken away, and what tells the emotion stays."""

import numpy as np
from numpy.typing import NDArray

from services.audio.training.wording import DIMENSIONS, without_wording


def _spread(groups: NDArray[np.int64], values: NDArray[np.float32]) -> float:
    """Return how far the means of groups lie apart."""
    return float(np.var([values[groups == group].mean(axis=0) for group in np.unique(groups)], axis=0).sum())


def test_sentences_vanish_and_emotions_stay() -> None:
    rng = np.random.default_rng(0)
    sentences, emotions = np.repeat(np.arange(8), 50), np.tile(np.arange(5), 80)
    wording, manner = 5.0 * rng.normal(size=(8, 100)), 5.0 * rng.normal(size=(5, 100))
    heard = (wording[sentences] + manner[emotions] + rng.normal(size=(400, 100))).astype(np.float32)
    projection = without_wording(heard, sentences.astype(np.str_), emotions)
    left = heard @ projection

    assert _spread(sentences, left) < 0.01 * _spread(sentences, heard)
    assert _spread(emotions, left) > 0.7 * _spread(emotions, heard)


def test_it_is_a_projection_that_keeps_most_dimensions() -> None:
    rng = np.random.default_rng(0)
    heard = rng.normal(size=(600, 80)).astype(np.float32)
    projection = without_wording(heard, np.repeat(np.arange(100), 6).astype(np.str_), np.tile(np.arange(6), 100))
    np.testing.assert_allclose(projection @ projection, projection, atol=1e-5)
    assert np.linalg.matrix_rank(projection) == 80 - DIMENSIONS
