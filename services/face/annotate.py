"""A picture of what was seen: the faces with their boxes and key points, and what was read off the main one. Pure."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.face.features import Face
from shared.emotions import EMOTIONS, MOOD_MAX
from shared.messages.score import Judgement

_LEAST_HEIGHT: Final = 480
_MOST_HEIGHT: Final = 1080
_PANEL_WIDTH: Final = 330
_MARGIN: Final = 18
_ROW: Final = 38
_BAR_LEFT: Final = 112
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_SMALL: Final = 0.5

_MAIN: Final = (0, 200, 110)
_OTHER: Final = (150, 150, 150)
_POINT: Final = (255, 210, 0)
_PAPER: Final = (250, 250, 248)
_INK: Final = (30, 34, 40)
_BAR: Final = (58, 120, 190)
_BAR_REST: Final = (226, 228, 230)


def annotate(image: NDArray[np.uint8], faces: Sequence[Face], judgement: Judgement) -> NDArray[np.uint8]:
    """Draw a judgement beside its picture, and the faces into it.

    Args:
        image: RGB, uint8 array of shape (height, width, 3).
        faces: What the detector found in it, the main face first.
        judgement: What was read off the main face.

    Returns:
        RGB, uint8 array of shape (height', width', 3): the picture, brought to a height of 480 to 1080 pixels, with the
        distribution as bars to its right.
    """
    scale = float(np.clip(image.shape[0], _LEAST_HEIGHT, _MOST_HEIGHT)) / image.shape[0]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=method), dtype=np.uint8)
    for face in reversed(faces):
        _draw_face(picture, face, scale, main=face is faces[0])
    panel = np.full((picture.shape[0], _PANEL_WIDTH, 3), _PAPER, dtype=np.uint8)
    _draw_panel(panel, judgement, len(faces))
    return np.hstack([picture, panel])


def _draw_face(picture: NDArray[np.uint8], face: Face, scale: float, *, main: bool) -> None:
    height, width = picture.shape[:2]
    left, top, right, bottom = (round(share * side) for share, side in zip(face.box, (width, height) * 2, strict=True))
    cv2.rectangle(picture, (left, top), (right, bottom), _MAIN if main else _OTHER, 3 if main else 2, cv2.LINE_AA)
    for x, y in face.points * scale:
        cv2.circle(picture, (round(float(x)), round(float(y))), 4, _INK, -1, cv2.LINE_AA)
        cv2.circle(picture, (round(float(x)), round(float(y))), 3, _POINT, -1, cv2.LINE_AA)
    name = f"{'main ' if main else ''}{face.confidence:.2f}, {face.size_px:.0f} px"
    (wide, high), _ = cv2.getTextSize(name, _FONT, _SMALL, 1)
    base = top - 6 if top > 2 * high else bottom + high + 8
    cv2.rectangle(picture, (left - 2, base - high - 4), (left + wide + 4, base + 5), _MAIN if main else _OTHER, -1)
    _write(picture, name, (left, base), _SMALL, _INK, 1)


def _draw_panel(panel: NDArray[np.uint8], judgement: Judgement, faces: int) -> None:
    if judgement.distribution is None or judgement.mood is None:
        _write(panel, "no judgement", (_MARGIN, 44), 0.8, _INK, 2)
        _write(panel, (judgement.reason or "").replace("_", " "), (_MARGIN, 80), 0.6, _INK, 1)
        return
    _write(panel, f"mood {judgement.mood:.2f} of {MOOD_MAX:.0f}", (_MARGIN, 44), 0.8, _INK, 2)
    _write(panel, f"quality {judgement.quality:.2f}, faces {faces}", (_MARGIN, 74), 0.5, _INK, 1)
    for row, emotion in enumerate(EMOTIONS):
        share, base = judgement.distribution[emotion], 104 + row * _ROW
        most = _PANEL_WIDTH - _BAR_LEFT - 74
        _write(panel, emotion.value, (_MARGIN, base + 16), 0.55, _INK, 1)
        cv2.rectangle(panel, (_BAR_LEFT, base), (_BAR_LEFT + most, base + 20), _BAR_REST, -1)
        cv2.rectangle(panel, (_BAR_LEFT, base), (_BAR_LEFT + round(share * most), base + 20), _BAR, -1)
        _write(panel, f"{100 * share:.0f} %", (_BAR_LEFT + most + 10, base + 16), 0.5, _INK, 1)
    _write(panel, "how it looks to others, not how it feels", (_MARGIN, 104 + len(EMOTIONS) * _ROW + 18), 0.43, _INK, 1)


def _write(
    picture: NDArray[np.uint8], text: str, at: tuple[int, int], size: float, colour: tuple[int, int, int], weight: int
) -> None:
    cv2.putText(picture, text, at, _FONT, size, colour, weight, cv2.LINE_AA)
