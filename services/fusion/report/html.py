"""The report as HTML that stands alone: it can be read offline, printed and sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.fusion.course import clock
from services.fusion.labels import NAMES, tenths
from services.fusion.results import SessionResult, TimelinePoint
from shared.emotions import MOOD_MAX, MOOD_MIN

WIDTH: Final = 720
HEIGHT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """An unbroken part of the timeline in the coordinates of the drawing, as SVG point lists.

    Attributes:
        line: The mood.
        band: The interval around it.
    """

    line: str
    band: str


def render_html(result: SessionResult, *, title: str, began: datetime) -> str:
    """Return the report of a session as one HTML page; the same for one result, whenever it is made.

    Args:
        result: The session.
        title: What was analysed.
        began: When the session did.
    """
    environment = Environment(
        loader=PackageLoader("services.fusion.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html").render(
        result=result,
        title=title,
        stretches=stretches(result.timeline),
        width=WIDTH,
        height=HEIGHT,
        levels=[(level, _y(level)) for level in range(int(MOOD_MIN), int(MOOD_MAX) + 1)],
        names=NAMES,
        clock=clock,
        tenths=tenths,
        began=began.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def stretches(timeline: Sequence[TimelinePoint]) -> list[Stretch]:
    """Return the timeline as unbroken stretches: a second without evidence is a gap, never a guess."""
    if not timeline:
        return []
    scale = WIDTH / max(point.end_s for point in timeline)
    gaps = [index for index, (a, b) in enumerate(pairwise(timeline), start=1) if b.start_s > a.end_s]
    bounds = pairwise([0, *gaps, len(timeline)])
    return [_stretch(timeline[first:last], scale) for first, last in bounds]


def _stretch(points: Sequence[TimelinePoint], scale: float) -> Stretch:
    middles = [(point, scale * (point.start_s + point.end_s) / 2) for point in points]
    if len(middles) == 1:
        point = points[0]
        middles = [(point, scale * point.start_s), (point, scale * point.end_s)]
    line = [(x, _y(point.mood)) for point, x in middles]
    upper = [(x, _y(point.high)) for point, x in middles]
    lower = [(x, _y(point.low)) for point, x in reversed(middles)]
    return Stretch(line=_points(line), band=_points([*upper, *lower]))


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _y(mood: float) -> float:
    return HEIGHT * (1 - (mood - MOOD_MIN) / (MOOD_MAX - MOOD_MIN))
