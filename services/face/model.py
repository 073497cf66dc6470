"""The face models, loaded: BlazeFace finds faces, the expression model reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.face.detector import FaceDetector
from services.face.features import CROP_SIDE, Face, pose_of
from shared.emotions import EMOTIONS
from shared.errors import WeightsError
from shared.messages.score import ModelRef
from shared.runtime.litert import LiteRtModel
from shared.weights import load_manifest

MODEL_FILE: Final = "expression.tflite"


@dataclass(frozen=True, slots=True)
class Expressions:
    """What the expression model says of n crops.

    Attributes:
        distributions: float64 array of shape (n, 7): the panel's votes as the model expects them, summing to one.
        unclear: float64 array of shape (n,): the share of the panel that would name no emotion.
    """

    distributions: NDArray[np.float64]
    unclear: NDArray[np.float64]


class FaceModel:
    """Both models.

    Args:
        folder: The weights of the expression model, with their manifest.
        threads: How many threads one call may use.

    Raises:
        WeightsError: If weights are missing or altered.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        manifest = load_manifest(folder)
        if manifest.labels != tuple(EMOTIONS):
            raise WeightsError(f"The weights in {folder} know other emotions than Mien; train them again.")
        self._ref = manifest.ref
        self._expression = LiteRtModel(folder / MODEL_FILE, threads)
        self._detector = FaceDetector(threads)

    @property
    def ref(self) -> ModelRef:
        """Name and version of the expression model."""
        return self._ref

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Face]]:
        """Find the faces in RGB images, uint8 arrays of shape (height, width, 3).

        BlazeFace interleaves the images of a batch in its output and gains no speed by it, so that it sees one a call.

        Returns:
            The faces of each image, the surest first.
        """
        return [self._faces(image) for image in images]

    def _faces(self, image: NDArray[np.uint8]) -> list[Face]:
        size = np.array(image.shape[1::-1], dtype=np.float32)
        found = self._detector(image)
        faces = []
        for box, points, confidence in zip(found.boxes, found.points * size, found.confidences, strict=True):
            left, top, right, bottom = np.clip(box, 0, 1).tolist()
            sides = (box[2:] - box[:2]) * size
            faces.append(
                Face(
                    box=(left, top, right, bottom),
                    size_px=float(sides.min()),
                    confidence=float(confidence),
                    pose=pose_of(points),
                    points=points,
                )
            )
        return faces

    def predict(self, crops: NDArray[np.uint8]) -> Expressions:
        """Read the expressions of grey crops, uint8 array of shape (n, 48, 48), in one call."""
        if not len(crops):
            return Expressions(np.empty((0, len(EMOTIONS))), np.empty(0))
        outputs = self._expression(faces=crops[..., None])
        distributions = outputs["distribution"].astype(np.float64)
        return Expressions(
            distributions / distributions.sum(axis=1, keepdims=True), outputs["unclear"].astype(np.float64)
        )

    def warm_up(self) -> None:
        """Run every model once."""
        self._detector.warm_up()
        self.predict(np.zeros((1, CROP_SIDE, CROP_SIDE), dtype=np.uint8))
