"""The picture that shows what was seen and what was read off it."""

import numpy as np
from numpy.typing import NDArray

from services.face.annotate import annotate
from services.face.features import Face, pose_of
from shared.emotions import EMOTIONS, Emotion
from shared.messages.details import FaceDetails
from shared.messages.score import Judgement, Status

GREY = 100


def _face(left: float) -> Face:
    points = np.array([[20, 30], [40, 30], [30, 40], [30, 50], [10, 40], [50, 40]], dtype=np.float32) * 3
    points[:, 0] += left * 640
    return Face(box=(left, 0.2, left + 0.25, 0.5), size_px=144, confidence=0.9, pose=pose_of(points), points=points)


def _judgement(emotion: Emotion) -> Judgement:
    shares = {each: 0.88 if each is emotion else 0.02 for each in EMOTIONS}
    return Judgement(
        status=Status.SCORED, mood=3.0, distribution=shares, confidence=0.88, quality=0.7, details=FaceDetails()
    )


def _picture() -> NDArray[np.uint8]:
    return np.full((480, 640, 3), GREY, dtype=np.uint8)


def _is(colour: tuple[int, int, int], picture: NDArray[np.uint8]) -> int:
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 40).sum())


def test_boxes_and_points_lie_in_the_picture_and_the_main_one_stands_out() -> None:
    drawn = annotate(_picture(), [_face(0.1), _face(0.6)], _judgement(Emotion.JOY))
    left, right = drawn[:, :320], drawn[:, 320:640]
    assert _is((0, 200, 110), left) > 10 * _is((0, 200, 110), right)
    assert _is((255, 210, 0), left) > 100
    assert _is((255, 210, 0), right) > 100


def test_the_bar_of_the_top_emotion_is_the_longest() -> None:
    rows = []
    for emotion in EMOTIONS:
        bars = np.abs(annotate(_picture(), [], _judgement(emotion))[:, 640:].astype(int) - (58, 120, 190)).max(axis=2)
        rows.append(int((bars < 20).sum(axis=1).argmax()))
    assert rows == sorted(rows)
    assert len(set(rows)) == len(EMOTIONS)


def test_a_small_picture_is_enlarged_and_a_reason_written() -> None:
    nobody = Judgement(status=Status.ABSTAINED, reason="no_face", details=FaceDetails())
    drawn = annotate(np.full((120, 160, 3), GREY, dtype=np.uint8), [], nobody)
    assert drawn.shape[:2] == (480, 640 + 330)
    assert _is((30, 34, 40), drawn[:, 640:]) > 200
