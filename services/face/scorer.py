"""Frames and face crops judged: pure, so that the same windows always give the same judgements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.face.annotate import annotate
from services.face.features import (
    CROP_SIDE,
    MAX_YAW,
    Face,
    as_crop,
    contrast,
    crop_face,
    frontality,
    image_quality,
    main_face,
)
from services.face.model import Expressions, FaceModel
from shared.emotions import Modality, as_mapping, mood_of
from shared.messages.details import FaceBox, FaceDetails
from shared.messages.score import Judgement, ModelRef, Status
from shared.scoring import FrameWindow

MIN_FACE_PX: Final = 24.0
"""A smaller face is enlarged to more than twice its pixels: taggers were never shown one."""

MIN_CONTRAST: Final = 4.0
MAX_UNCLEAR: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What is known of one window before the expression is read.

    Attributes:
        details: The faces in it.
        crop: The main face, uint8 array of shape (48, 48), or None where nothing is to be read.
        reason: Why nothing is to be read.
        quality: How well it can be seen, 0..1.
    """

    details: FaceDetails
    crop: NDArray[np.uint8] | None = None
    reason: str | None = None
    quality: float = 0.0


class FaceScorer:
    """Reads the expression of the main face of each frame, as a panel of people would on average.

    Args:
        model: The detector and the expression model.
    """

    modality: Final = Modality.FACE

    def __init__(self, model: FaceModel) -> None:
        self._model = model

    @property
    def model(self) -> ModelRef:
        """Which expression model it uses."""
        return self._model.ref

    def warm_up(self) -> None:
        """Run every model once, so that the first real frame is as fast as the rest."""
        self._model.warm_up()

    def score(self, windows: Sequence[FrameWindow]) -> list[Judgement]:
        """Return one judgement a frame, in the same order; all main faces are read in one call."""
        return self._score(windows, self._model.detect([window.image for window in windows]))

    def annotated(self, window: FrameWindow) -> tuple[Judgement, NDArray[np.uint8]]:
        """Return the judgement of a frame, and the frame with it drawn in, RGB; see :mod:`services.face.annotate`."""
        (faces,) = found = self._model.detect([window.image])
        (judgement,) = self._score([window], found)
        main = main_face(faces) if faces else None
        ordered = sorted(faces, key=lambda face: face is not main)
        return judgement, annotate(window.image, ordered, judgement)

    def score_crops(self, crops: Sequence[NDArray[np.uint8]]) -> list[Judgement]:
        """Return one judgement for each image that is a face crop already, in the same order.

        Args:
            crops: uint8 arrays of shape (height, width), grey, or (height, width, 3), RGB, framed as FER+ frames them.
        """
        return self._judge(_subject_of_crop(crop) for crop in crops)

    def _score(self, windows: Sequence[FrameWindow], found: Sequence[Sequence[Face]]) -> list[Judgement]:
        mains = _main_faces(windows, found)
        return self._judge(
            _subject_of_frame(window.image, faces, main)
            for window, faces, main in zip(windows, found, mains, strict=True)
        )

    def _judge(self, subjects: Iterable[_Subject]) -> list[Judgement]:
        subjects = list(subjects)
        crops = [subject.crop for subject in subjects if subject.crop is not None]
        read = iter(_rows(self._model.predict(np.array(crops, dtype=np.uint8).reshape(-1, CROP_SIDE, CROP_SIDE))))
        return [_abstain(subject) if subject.crop is None else _judgement(subject, *next(read)) for subject in subjects]


def _main_faces(windows: Sequence[FrameWindow], found: Sequence[Sequence[Face]]) -> list[Face | None]:
    """Choose each frame's main subject, following a session's subject from frame to frame."""
    mains: list[Face | None] = [None] * len(windows)
    before: dict[str, Face] = {}
    for index in sorted(range(len(windows)), key=lambda index: windows[index].at_s):
        if found[index]:
            session = windows[index].session_id
            mains[index] = before[session] = main_face(found[index], before.get(session))
    return mains


def _subject_of_frame(image: NDArray[np.uint8], faces: Sequence[Face], main: Face | None) -> _Subject:
    if main is None:
        return _Subject(details=FaceDetails(), reason="no_face")
    ordered = [main, *(face for face in faces if face is not main)]
    boxes = tuple(_as_box(face, main=face is main) for face in ordered)
    details = FaceDetails(faces=boxes, face_px=round(main.size_px, 1))
    if main.size_px < MIN_FACE_PX:
        return _Subject(details=details, reason="face_too_small")
    if abs(main.pose.yaw) > MAX_YAW:
        return _Subject(details=details, reason="face_turned_away")
    crop = crop_face(image, main.pose)
    return _of_crop(crop, image_quality(crop, main.size_px) * frontality(main.pose) * main.confidence, details)


def _subject_of_crop(image: NDArray[np.uint8]) -> _Subject:
    crop, size_px = as_crop(image), float(min(image.shape[:2]))
    # a crop of FER+'s size is what the model has learnt from: it counts as large enough
    quality = image_quality(crop, np.inf if size_px >= CROP_SIDE else size_px)
    return _of_crop(crop, quality, FaceDetails(face_px=size_px))


def _of_crop(crop: NDArray[np.uint8], quality: float, details: FaceDetails) -> _Subject:
    if contrast(crop) < MIN_CONTRAST:
        return _Subject(details=details, reason="unclear_face")
    return _Subject(details=details, crop=crop, quality=quality)


def _as_box(face: Face, *, main: bool) -> FaceBox:
    left, top, right, bottom = face.box
    return FaceBox(x=left, y=top, width=right - left, height=bottom - top, confidence=face.confidence, main=main)


def _rows(expressions: Expressions) -> Iterable[tuple[NDArray[np.float64], float]]:
    return zip(expressions.distributions, expressions.unclear.tolist(), strict=True)


def _abstain(subject: _Subject) -> Judgement:
    return Judgement(status=Status.ABSTAINED, reason=subject.reason, details=subject.details)


def _judgement(subject: _Subject, distribution: NDArray[np.float64], unclear: float) -> Judgement:
    if unclear > MAX_UNCLEAR:
        return Judgement(status=Status.ABSTAINED, reason="unclear_face", details=subject.details)
    return Judgement(
        status=Status.SCORED,
        mood=float(mood_of(distribution)),
        distribution=as_mapping(distribution),
        confidence=float(distribution.max()),
        quality=float(np.clip(subject.quality * (1 - unclear), 0, 1)),
        details=subject.details,
    )
