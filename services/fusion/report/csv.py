"""The timeline as comma-separated values (RFC 4180). Pure."""

import csv
import io
from typing import Final

from services.fusion.results import SessionResult, TimelinePoint
from shared.emotions import MODALITIES

HEADER: Final = (
    "start_s",
    "end_s",
    "mood",
    "low",
    "high",
    *(f"{modality}_{what}" for modality in MODALITIES for what in ("mood", "share")),
)


def render_csv(result: SessionResult) -> str:
    """Return one line for each second with evidence; what a modality does not say is left empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(_row(point) for point in result.timeline)
    return text.getvalue()


def _row(point: TimelinePoint) -> list[float | str]:
    row: list[float | str] = [point.start_s, point.end_s, point.mood, point.low, point.high]
    for modality in MODALITIES:
        said = point.modalities.get(modality)
        row += ["", ""] if said is None else [said.mood, said.weight]
    return row
