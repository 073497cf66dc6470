"""Whether a frame shows something new. Pure."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_GRID: Final = (20, 15)
"""Columns and rows: a cell of a picture 640 px wide is 32 px wide, smaller than a mouth that speaks."""

_CHANGE: Final = 2.0
"""Grey levels of 255 by which a cell's mean must move: the mean of 1,000 pixels takes a camera's noise, about five
levels a pixel, below a fifth of a level, and a mouth that opens darkens its cells by more than five."""


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what frames are compared by.

    Args:
        image: RGB, uint8 array of shape (height, width, 3).

    Returns:
        Mean brightness of each cell, 0..255, float32 array of shape (15, 20).
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.resize(grey, _GRID, interpolation=cv2.INTER_AREA), dtype=np.float32)


def is_still(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Return whether no cell has changed by two grey levels or more between two thumbnails."""
    return bool(np.abs(now - before).max() < _CHANGE)


class Stillness:
    """Says which frames of a live session are worth sending.

    Args:
        longest_s: Seconds after which a frame is sent although nothing has changed.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._last: tuple[float, NDArray[np.float32]] | None = None

    def is_new(self, at_s: float, image: NDArray[np.uint8]) -> bool:
        """Compare a frame with the last one that was worth sending, and remember it if it is."""
        now = thumbnail(image)
        if self._last is not None:
            last_s, before = self._last
            if at_s - last_s < self._longest_s and is_still(before, now):
                return False
        self._last = at_s, now
        return True
