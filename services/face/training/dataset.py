"""FER+: what the panel of taggers said of each face (Barsoum et al., 2016, https://arxiv.org/abs/1608.01041)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS, Emotion
from shared.errors import BadInputError

FERPLUS: Final = Path("face") / "ferplus.npz"

CONTEMPT_IS: Final = Emotion.NEUTRAL
"""Contempt counts as neutral: where it is voted for, neutral is what most others say (see the model card)."""

_COLUMNS: Final = (
    Emotion.NEUTRAL,
    Emotion.JOY,
    Emotion.SURPRISE,
    Emotion.SADNESS,
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.FEAR,
    CONTEMPT_IS,
)
_FER2013: Final = {
    "angry": Emotion.ANGER,
    "disgust": Emotion.DISGUST,
    "fear": Emotion.FEAR,
    "happy": Emotion.JOY,
    "sad": Emotion.SADNESS,
    "surprise": Emotion.SURPRISE,
    "neutral": Emotion.NEUTRAL,
}
_UNCLEAR_WHERE_COVERED: Final = 0.4
_UNCLEAR_COLUMNS: Final = slice(8, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Faces and the votes on them.

    Attributes:
        images: uint8 array of shape (n, 48, 48).
        votes: float32 array of shape (n, 8): votes for each of the seven emotions, then for "unknown or not a face".
    """

    images: NDArray[np.uint8]
    votes: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, which: NDArray[np.int_] | NDArray[np.bool_]) -> Self:
        """Return the chosen rows, by index or by mask of shape (n,)."""
        return type(self)(images=self.images[which], votes=self.votes[which])

    @property
    def shares(self) -> NDArray[np.float32]:
        """Each answer's share of an image's votes, shape (n, 8)."""
        return np.asarray(self.votes / self.votes.sum(axis=1, keepdims=True), dtype=np.float32)

    @property
    def distribution(self) -> NDArray[np.float32]:
        """Each emotion's share of an image's votes for an emotion, shape (n, 7); rows without any are NaN."""
        emotions = self.votes[:, : len(EMOTIONS)]
        with np.errstate(invalid="ignore"):
            return np.asarray(emotions / emotions.sum(axis=1, keepdims=True), dtype=np.float32)


def load(data: Path, split: str) -> Panel:
    """Load a split of FER+.

    Args:
        data: The data folder; the file is ``face/ferplus.npz`` in it.
        split: ``train``, or ``valid`` without the rows that are copies of training images.

    Raises:
        BadInputError: If the file is not there.
    """
    images, votes = _read(data, split, "votes")
    folded = fold_votes(votes)
    judged = folded.sum(axis=1) > 0
    return Panel(images=images[judged], votes=folded[judged])


def load_fer2013(data: Path, split: str) -> Panel:
    """Load a split of the same images with the one label that FER2013 gave each, as if all had voted for it.

    Args:
        data: As for :func:`load`.
        split: As for :func:`load`.

    Raises:
        BadInputError: If the file is not there.
    """
    images, labels = _read(data, split, "fer2013_label")
    votes = np.zeros((len(labels), len(EMOTIONS) + 1), dtype=np.float32)
    votes[np.arange(len(labels)), [EMOTIONS.index(_FER2013[label]) for label in labels]] = 1
    return Panel(images=images, votes=votes)


def _read(data: Path, split: str, column: str) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Return the images of a split and one of the other arrays, copies of training images left out of ``valid``."""
    path = data / FERPLUS
    if not path.is_file():
        raise BadInputError(f"There is no {path}; name the folder that holds face/ferplus.npz with --data.")
    # the labels are an array of Python strings, which NumPy stores as a pickle
    with np.load(path, allow_pickle=column == "fer2013_label") as arrays:
        rows = (arrays["split"] == split) & ~((split == "valid") & arrays["dup_in_train"])
        return arrays["images"][rows], arrays[column][rows]


def fold_votes(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Fold FER+'s ten columns into the seven emotions and "unclear".

    Args:
        votes: uint8 array of shape (n, 10): neutral, happiness, surprise, sadness, anger, disgust, fear, contempt,
            unknown, not a face.

    Returns:
        float32 array of shape (n, 8), in the order of :data:`~shared.emotions.EMOTIONS`, then unclear.
    """
    folded = np.zeros((len(votes), len(EMOTIONS) + 1), dtype=np.float32)
    for column, emotion in enumerate(_COLUMNS):
        folded[:, EMOTIONS.index(emotion)] += votes[:, column]
    folded[:, -1] = votes[:, _UNCLEAR_COLUMNS].sum(axis=1)
    return folded


def with_mouth_covered(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the votes that a panel is taken to give where the mouth is covered: a part of it cannot tell.

    Nobody has asked taggers about covered faces; the part is chosen so that the service's quality falls by as much.

    Args:
        shares: Each answer's share of the votes, "unclear" last, float32 array of shape (n, 8).
    """
    changed = shares * np.float32(1 - _UNCLEAR_WHERE_COVERED)
    changed[:, -1] += np.float32(_UNCLEAR_WHERE_COVERED)
    return np.asarray(changed, dtype=np.float32)


def split_off(panel: Panel, share: float, seed: int) -> tuple[Panel, Panel]:
    """Return the rest and a random share of it, for calibration.

    Copies of an image stay on one side, so that what is held out has not been seen.
    """
    _, group = np.unique(panel.images.reshape(len(panel), -1), axis=0, return_inverse=True)
    held_out = np.random.default_rng(seed).random(group.max() + 1)[group] < share
    return panel.take(~held_out), panel.take(held_out)
