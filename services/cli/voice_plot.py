"""Draws energy, pitch and mood of a voice over time as one picture, with the OpenCV that the face needs anyway."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.audio.explain import Course
from shared.emotions import MOOD_MAX, MOOD_MIN

WIDTH_PX: Final = 1200
_PANEL_PX: Final = 200
_LEFT_PX: Final = 90
_RIGHT_PX: Final = 30
_GAP_PX: Final = 46
_INK: Final = (45, 52, 60)
_RULE: Final = (218, 222, 226)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX

Picture = NDArray[np.uint8]
Track = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One curve with its axis.

    Attributes:
        title: What it shows, with the unit.
        times_s: Where the points lie, float64 array of shape (n,).
        values: Their values, NaN where the curve is broken, float64 array of shape (n,).
        ticks: Values that are named; the first and the last bound the axis.
        colour: Red, green, blue, 0..255.
        dots: Whether points are marked, for curves of few.
    """

    title: str
    times_s: Track
    values: Track
    ticks: Sequence[float]
    colour: tuple[int, int, int]
    dots: bool = False


def draw(course: Course) -> Picture:
    """Return the picture: uint8 array of shape (height, width, 3), red, green, blue."""
    panels = (
        Panel(
            title="energy over the noise floor, dB",
            times_s=course.times_s,
            values=course.energy_db,
            ticks=(0, 20, 40, 60),
            colour=(0, 130, 60),
        ),
        Panel(
            title="pitch, Hz",
            times_s=course.times_s,
            values=course.pitch_hz,
            ticks=(50, 150, 250, 350, 450),
            colour=(30, 80, 170),
        ),
        Panel(
            title="mood of two seconds around, 1 to 5",
            times_s=course.window_times_s,
            values=course.moods,
            ticks=(MOOD_MIN, 2, 3, 4, MOOD_MAX),
            colour=(190, 40, 40),
            dots=True,
        ),
    )
    height = len(panels) * (_PANEL_PX + _GAP_PX) + _GAP_PX
    picture: Picture = np.full((height, WIDTH_PX, 3), 255, dtype=np.uint8)
    end_s = float(course.times_s[-1]) + 0.01
    for place, panel in enumerate(panels):
        _draw_panel(picture, _GAP_PX + place * (_PANEL_PX + _GAP_PX), panel, end_s)
    _draw_seconds(picture, height - _GAP_PX, end_s)
    return picture


def _draw_panel(picture: Picture, top: int, panel: Panel, end_s: float) -> None:
    low, high = panel.ticks[0], panel.ticks[-1]
    heights = top + _PANEL_PX * (1 - (np.clip(panel.values, low, high) - low) / (high - low))
    for tick in panel.ticks:
        y = round(top + _PANEL_PX * (1 - (tick - low) / (high - low)))
        cv2.line(picture, (_LEFT_PX, y), (WIDTH_PX - _RIGHT_PX, y), _RULE, 1)
        _write(picture, f"{tick:g}", (_LEFT_PX - 45, y + 5))
    _write(picture, panel.title, (_LEFT_PX, top - 10))
    for run in _unbroken(panel.values):
        points = np.stack([_places(panel.times_s[run], end_s), heights[run]], axis=1).round().astype(np.int32)
        cv2.polylines(picture, [points], isClosed=False, color=panel.colour, thickness=2, lineType=cv2.LINE_AA)
        if panel.dots or len(points) == 1:
            for x, y in points.tolist():
                cv2.circle(picture, (x, y), 4, panel.colour, cv2.FILLED, cv2.LINE_AA)


def _draw_seconds(picture: Picture, y: int, end_s: float) -> None:
    step = next(step for step in (0.5, 1, 2, 5, 10) if end_s / step <= 12)
    for second in np.arange(0.0, end_s, step):
        _write(picture, f"{second:g} s", (round(_places(np.array([second]), end_s)[0]) - 12, y + 28))


def _places(times_s: Track, end_s: float) -> Track:
    return np.asarray(_LEFT_PX + times_s / end_s * (WIDTH_PX - _LEFT_PX - _RIGHT_PX))


def _unbroken(values: Track) -> list[NDArray[np.intp]]:
    """Return the runs of places that have a value."""
    known = np.flatnonzero(np.isfinite(values))
    return [run for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if run.size]


def _write(picture: Picture, text: str, at: tuple[int, int]) -> None:
    cv2.putText(picture, text, at, _FONT, 0.5, _INK, 1, cv2.LINE_AA)
