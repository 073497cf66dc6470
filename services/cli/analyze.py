"""``mien analyze``: a recording through every service in this process."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from services.capture.sources.file import FileSource
from services.cli.card import result_card
from services.cli.report import write_report
from services.embedded import Embedded
from services.fusion.results import SessionResult
from shared.emotions import Modality
from shared.sessions import hears, new_session, sees


def analyze_file(file: Path, *, as_json: bool, report: Path | None, modalities: Sequence[Modality], fps: float) -> None:
    """Analyse a recording and print its result.

    Args:
        file: The recording.
        as_json: Whether to print the result as JSON instead of a card.
        report: Where to write an HTML report too, or None.
        modalities: Which modalities to use.
        fps: Frames looked at a second.

    Raises:
        BadInputError: If the file is not media that can be read.
    """
    source = FileSource(file, fps, audio=hears(modalities), video=sees(modalities))
    console = Console(stderr=True)
    with _progress_bar(console) as bar:
        result = _analyze(source, modalities, bar)
    if report is not None:
        write_report(result, report, title=file.name)
    if as_json:
        typer.echo(result.model_dump_json())
        return
    out = Console()
    out.print(result_card(result))
    _say_what_next(out, report, damaged=source.damaged)


def _analyze(source: FileSource, modalities: Sequence[Modality], bar: Progress) -> SessionResult:
    task = bar.add_task("Loading the models", total=None)
    with Embedded(modalities) as mien:
        bar.update(task, description="Listening and looking", total=source.duration_s)
        started, _ = new_session(modalities)
        mien.play(source, started, lambda progress: bar.update(task, completed=progress.done_s))
        bar.update(task, description="Weighing the evidence")
        result = mien.result(started.session_id)
        bar.update(task, total=1, completed=1)
    return result


def _progress_bar(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def _say_what_next(out: Console, report: Path | None, *, damaged: bool) -> None:
    if damaged:
        out.print("The recording is damaged; this is what could be read of it.", style="yellow")
    if report is not None:
        out.print(f"The report is in [bold]{report}[/].")
    else:
        out.print("[dim]Next:[/] [bold]mien analyze FILE --report report.html[/] for your own recording and a report,")
        out.print(
            "      [bold]mien analyze FILE --json[/] for programs, [bold]mien score --help[/] for one modality alone."
        )
