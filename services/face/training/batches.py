"""What the network sees in one epoch: faces shuffled, changed as cameras change them, with the panel's answers."""

from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from services.face.training.augment import augment, cover_mouth
from services.face.training.dataset import Panel, with_mouth_covered

_COVERED: Final = 0.08


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    """Shuffled, augmented batches of faces, the panel's answers and a weight for each face.

    Args:
        panel: Faces and votes.
        weights: float32 array of shape (n,).
        batch: Faces a batch.
        strength: Of the augmentation, 0..1.
        seed: Of order and augmentation; one number or several.
    """

    def __init__(
        self, panel: Panel, weights: NDArray[np.float32], batch: int, strength: float, seed: int | tuple[int, ...]
    ) -> None:
        super().__init__()
        self._panel, self._shares, self._weights = panel, panel.shares, weights
        self._batch, self._strength = batch, strength
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(panel))

    def __len__(self) -> int:
        return len(self._panel) // self._batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        rows = self._order[index * self._batch : (index + 1) * self._batch]
        covered = self._rng.random(len(rows)) < _COVERED
        faces = [self._change(self._panel.images[row], covered=cover) for row, cover in zip(rows, covered, strict=True)]
        shares = np.where(covered[:, None], with_mouth_covered(self._shares[rows]), self._shares[rows])
        return np.stack(faces)[..., None], shares, self._weights[rows]

    def _change(self, image: NDArray[np.uint8], *, covered: bool) -> NDArray[np.uint8]:
        return augment(cover_mouth(image, self._rng) if covered else image, self._rng, self._strength)
