"""What the network sees in one epoch: faces shuffled, changed as cameras change them, with the panel's answers."""

from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from services.face.training.augment import Batch, augment, cover_mouth, mix
from services.face.training.dataset import Panel, with_mouth_covered

_COVERED: Final = 0.08
_MIXED: Final = 0.5
"""Share of the batches whose faces are mixed with each other."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    """Shuffled, augmented batches of faces, the panel's answers and a weight for each face.

    Args:
        panel: Faces and votes.
        weights: float32 array of shape (n,).
        batch: Faces a batch.
        strength: Of the augmentation, 0..1.
        mixing: How evenly two faces are mixed: both parameters of a beta distribution; 0 for not at all.
        seed: Of order and augmentation; one number or several.
    """

    def __init__(
        self,
        panel: Panel,
        weights: NDArray[np.float32],
        batch: int,
        *,
        strength: float,
        mixing: float,
        seed: int | tuple[int, ...],
    ) -> None:
        super().__init__()
        self._panel, self._shares, self._weights = panel, panel.shares, weights
        self._batch, self._strength, self._mixing = batch, strength, mixing
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(panel))

    def __len__(self) -> int:
        return len(self._panel) // self._batch

    def __getitem__(self, index: int) -> Batch:
        rows = self._order[index * self._batch : (index + 1) * self._batch]
        covered = self._rng.random(len(rows)) < _COVERED
        faces = [self._change(self._panel.images[row], covered=cover) for row, cover in zip(rows, covered, strict=True)]
        shares = np.where(covered[:, None], with_mouth_covered(self._shares[rows]), self._shares[rows])
        batch = np.stack(faces)[..., None].astype(np.float32), shares, self._weights[rows]
        return mix(batch, self._rng, self._mixing) if self._mixing and self._rng.random() < _MIXED else batch

    def _change(self, image: NDArray[np.uint8], *, covered: bool) -> NDArray[np.uint8]:
        return augment(cover_mouth(image, self._rng) if covered else image, self._rng, self._strength)
