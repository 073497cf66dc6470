"""The timeline as comma-separated values (RFC 4180). Pure."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from services.fusion.results import TimelinePoint
from shared.emotions import MODALITIES

HEADER: Final = (
    "start_s",
    "end_s",
    "mood",
    "low",
    "high",
    *(f"{modality}_{what}" for modality in MODALITIES for what in ("mood", "share")),
    "relative",
    "usual",
    "absolute",
)


def render_csv(timeline: Iterable[TimelinePoint], usual: float | None) -> str:
    """Return one line for each second with evidence; what a modality does not say is left empty.

    Args:
        timeline: The seconds.
        usual: The person's usual mood, where the moods are relative to it: ``mood``, ``low`` and ``high`` then are,
            and ``absolute`` is the mood without it. What a modality says is always absolute.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(_row(point, usual) for point in timeline)
    return text.getvalue()


def _row(point: TimelinePoint, usual: float | None) -> list[float | str]:
    row: list[float | str] = [point.start_s, point.end_s, point.mood, point.low, point.high]
    for modality in MODALITIES:
        said = point.modalities.get(modality)
        row += ["", ""] if said is None else [said.mood, said.weight]
    if usual is None or point.absolute is None:
        return [*row, "false", "", ""]
    return [*row, "true", usual, point.absolute]
