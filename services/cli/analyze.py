"""``mien analyze``: a recording through every service in this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from services.capture.sources.file import FileSource
from services.cli.card import result_card
from services.cli.report import check_outputs, write_report
from services.embedded import Embedded
from services.fusion.replay import EvidenceExport
from services.fusion.schema import SessionResult
from shared.emotions import Modality
from shared.errors import BadInputError
from shared.sessions import hears, new_session, sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What came out of a recording.

    Attributes:
        result: Its result.
        export: The evidence that the result stands on.
    """

    result: SessionResult
    export: EvidenceExport


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where an analysis goes.

    Attributes:
        as_json: Print the result as JSON instead of a card.
        report: Where to write an HTML report too, or None.
        evidence: Where to write the evidence too, or None.
    """

    as_json: bool = False
    report: Path | None = None
    evidence: Path | None = None


def analyze_file(
    file: Path, outputs: Outputs, modalities: Sequence[Modality], fps: float, usual: float | None = None
) -> None:
    """Analyse a recording and print its result.

    Args:
        file: The recording.
        outputs: What to print and write.
        modalities: Which modalities to use.
        fps: Frames looked at a second.
        usual: The person's usual mood, where the result is to be relative to it.

    Raises:
        BadInputError: If the file is not media that can be read, or what is asked for cannot be written.
    """
    check_outputs(file, {"report": outputs.report, "evidence": outputs.evidence})
    analysis = analyze_source(file, modalities, fps, usual)
    out = Console()
    if outputs.as_json:
        typer.echo(analysis.result.model_dump_json())
    else:
        out.print(result_card(analysis.result))
    if outputs.report is not None:
        write_report(analysis.result, outputs.report, title=file.name, began=analysis.export.started_at)
    if outputs.evidence is not None:
        _write_evidence(analysis.export, outputs.evidence)
    if not outputs.as_json:
        _say_what_next(out, outputs.report)


def analyze_source(file: Path, modalities: Sequence[Modality], fps: float, usual: float | None = None) -> Analysis:
    """Analyse a recording in this process, with a progress bar on standard error, where damage to it is said too.

    Args:
        file: The recording.
        modalities: Which modalities to use.
        fps: Frames looked at a second.
        usual: The person's usual mood, where the result is to be relative to it.

    Raises:
        BadInputError: If the file is not media that can be read.
    """
    source = FileSource(file, fps, audio=hears(modalities), video=sees(modalities))
    with _progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task("Loading the models", total=None)
        with Embedded(modalities) as mien:
            bar.update(task, description="Listening and looking", total=source.duration_s)
            started, _ = new_session(modalities, baseline=usual)
            mien.play(source, started, lambda progress: bar.update(task, completed=progress.done_s))
            bar.update(task, description="Weighing the evidence")
            result = mien.result(started.session_id)
            bar.update(task, total=1, completed=1)
            export = mien.export(started.session_id)
    if source.damaged:
        typer.echo("mien: the recording is damaged; this is what could be read of it.", err=True)
    return Analysis(result=result, export=export)


def _write_evidence(export: EvidenceExport, path: Path) -> None:
    try:
        path.write_text(export.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"The evidence cannot be written to {path}: {error.strerror}.") from None


def _progress_bar(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def _say_what_next(out: Console, report: Path | None) -> None:
    if report is not None:
        out.print(Text.assemble("The report is in ", (str(report), "bold"), "."), soft_wrap=True)
    else:
        out.print("[dim]Next:[/] [bold]mien analyze FILE --report report.html[/] for your own recording and a report,")
        out.print(
            "      [bold]mien analyze FILE --json[/] for programs, [bold]mien score --help[/] for one modality alone."
        )
