"""``mien explain audio``: how energy, pitch and mood of a voice go on through an utterance."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from services.audio.explain import WINDOW_S, Course, course_of
from services.audio.worker import load_scorer
from services.cli.inputs import read_utterance, write_image
from services.cli.report import check_outputs
from services.cli.voice_plot import draw
from shared.errors import BadInputError


def explain_audio(file: Path, plot: Path | None) -> None:
    """Print the mood of each window with its energy and pitch, and draw all three over time.

    Args:
        file: A recording of one utterance, up to 30 s.
        plot: Where the picture goes; its suffix says in which format (png, jpg). None for no picture.

    Raises:
        BadInputError: If the recording cannot be read or has nothing in it, or the picture cannot be written.
    """
    check_outputs(file, {"plot": plot})
    samples = read_utterance(file).samples
    if not samples.size:
        raise BadInputError(f"{file} has no sound in it; name a recording of speech.")
    course = course_of(samples, load_scorer())
    if plot is not None:
        write_image(plot, draw(course))
    Console().print(_table(course))


def _table(course: Course) -> Table:
    table = Table(header_style="bold", caption="in windows of two seconds; — where no voice was heard", box=None)
    for name in ("around", "energy over noise", "pitch", "mood"):
        table.add_column(name, justify="right")
    for middle, mood in zip(course.window_times_s, course.moods, strict=True):
        inside = np.abs(course.times_s - middle) <= WINDOW_S / 2
        voiced = course.pitch_hz[inside & np.isfinite(course.pitch_hz)]
        table.add_row(
            f"{middle:.1f} s",
            f"{np.percentile(course.energy_db[inside], 90):.0f} dB",
            f"{np.median(voiced):.0f} Hz" if voiced.size else "—",
            f"{mood:.2f}" if np.isfinite(mood) else "—",
        )
    return table
