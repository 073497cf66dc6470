"""The commands, their arguments and their help. What each does lies in the module of its name."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from services.cli import capture_app, operate_app
from shared import __version__
from shared.emotions import Modality
from shared.errors import BadInputError, MienError

EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2

app = typer.Typer(
    name="mien",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Hear what a person says and how they say it, see how their face moves, "
    "and give one mood from **1** (very low) to **5** (very high), with the evidence behind it.",
    epilog="A mood is an estimate from outward signs, not a diagnosis. Only analyse people who have agreed to it.",
)
score_app = typer.Typer(
    no_args_is_help=True,
    help="Score one modality alone: one JSON object a line, for people who need one score, and for measuring.",
)
app.add_typer(score_app, name="score")
explain_app = typer.Typer(no_args_is_help=True, help="Show what moved the score of one modality.")
app.add_typer(explain_app, name="explain")
app.add_typer(capture_app.app)
app.add_typer(operate_app.app)

MediaFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A video or sound file: mp4, mov, mkv, webm, avi, mpg, wav, flac, mp3, ogg, m4a."
    ),
]
Modalities = Annotated[
    list[Modality] | None,
    typer.Option("--modality", "-m", help="Use this modality only; may be given more than once. Default: all three."),
]


def main() -> None:
    """Run the command, and turn Mien's own errors into a sentence and an exit code."""
    try:
        app()
    except BadInputError as error:
        _fail(str(error), EXIT_BAD_INPUT)
    except MienError as error:
        _fail(str(error), EXIT_FAILED)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("services", "shared"):
            raise
        _fail(f"This command needs the package {error.name}, which is not installed; install mien[all].", EXIT_FAILED)


def _fail(sentence: str, code: int) -> None:
    Console(stderr=True, highlight=False).print(f"[bold red]mien:[/] {escape(sentence)}", soft_wrap=True)
    sys.exit(code)


def _show_version(asked: bool) -> None:  # noqa: FBT001
    if asked:
        typer.echo(f"mien {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


@app.command()
def analyze(
    file: MediaFile,
    *,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object instead of a card.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Also write a report as one self-contained HTML file.", metavar="HTML")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="Also write the evidence, for **mien replay**.", metavar="JSON")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="Show the mood relative to the person's usual, from **mien calibrate**.", metavar="JSON"),
    ] = None,
    modality: Modalities = None,
    fps: Annotated[float, typer.Option(min=0.1, max=30, help="Frames looked at a second.")] = 5.0,
) -> None:
    """Analyse a recording in this process and show its mood.

    Nothing leaves this machine and nothing is kept. The bar shows how far the recording is read and scored; the card
    shows the mood with its 80 % interval, what each modality says and how much it counts and why, the transcript, and
    what became of every chunk.

    Exit code 0: there is an answer, be it that there is not enough evidence; 2: FILE is not media that can be read.
    """
    from services.cli.analyze import Outputs, analyze_file
    from services.cli.calibrate import read_baseline

    usual = read_baseline(baseline).usual if baseline is not None else None
    outputs = Outputs(as_json=json, report=report, evidence=evidence)
    analyze_file(file, outputs, tuple(modality or Modality), fps, usual)


@app.command()
def calibrate(
    file: MediaFile,
    *,
    out: Annotated[Path, typer.Option(help="Where to keep the baseline.", metavar="JSON")],
    consent: Annotated[
        bool, typer.Option("--consent", help="State that the person has agreed that their usual mood is kept.")
    ] = False,
    fps: Annotated[float, typer.Option(min=0.1, max=30, help="Frames looked at a second.")] = 5.0,
) -> None:
    """Find a person's usual mood from about a minute of ordinary talk, and keep it in a file of theirs."""
    from services.cli.calibrate import calibrate_file

    calibrate_file(file, out, consent=consent, fps=fps)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(metavar="EVIDENCE.json", help="Written by mien analyze --evidence.")],
    *,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object instead of a card.")
    ] = False,
) -> None:
    """Fuse exported evidence again: the same numbers, without the recording and without the models."""
    from services.cli.replay import replay_file

    replay_file(file, as_json=json)


@app.command()
def serve(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 0,
    modality: Modalities = None,
    connect: Annotated[
        bool,
        typer.Option(
            "--connect",
            help="Serve over the RabbitMQ and Redis of AMQP_URL and REDIS_URL instead, as the fusion service does, "
            "with its settings; the workers run elsewhere.",
        ),
    ] = False,
) -> None:
    """Open the dashboard: every service in this process, for one person at one machine.

    Listens on loopback alone and prints a link with a key, as notebooks do. Drop a recording on the page, or use the
    browser's microphone and camera. Nothing leaves this machine, and everything is gone when it ends.
    """
    from services.cli.serve import serve as serve_dashboard
    from services.cli.serve import serve_connected

    if connect:
        raise typer.Exit(serve_connected())
    serve_dashboard(port, tuple(modality or Modality))


@score_app.command("text")
def score_text(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILES…]",
            help="Text files, scored line by line, or recordings, heard first. Default: lines on stdin.",
        ),
    ] = None,
) -> None:
    """Score words: valence from 1 to 5 and the distribution over the seven emotions."""
    from services.cli.score import score_text_inputs

    _exit_for(score_text_inputs(files or []))


@score_app.command("audio")
def score_audio(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES…", help="Recordings of one utterance each, up to 30 s.")
    ],
) -> None:
    """Score voices: energy, pitch, intensity and tone, whatever the words."""
    from services.cli.score import score_audio_inputs

    _exit_for(score_audio_inputs(files))


@score_app.command("face")
def score_face(
    files: Annotated[list[Path], typer.Argument(metavar="FILES…", help="Images: jpg, png, bmp, webp, tiff.")],
    *,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="The images are face crops already: do not look for faces.")
    ] = False,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="PICTURE", help="Also write the image with boxes, key points and distribution; for one image."
        ),
    ] = None,
) -> None:
    """Score the main face of each image."""
    from services.cli.score import annotate_face, score_face_inputs

    if annotate is not None:
        if len(files) != 1 or cropped:
            raise BadInputError("--annotate draws one whole image: name one, without --cropped.")
        annotate_face(files[0], annotate)
        return
    _exit_for(score_face_inputs(files, cropped=cropped))


@explain_app.command("text")
def explain_text(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The words, in quotes.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of coloured words.")] = False,
) -> None:
    """Show which words raise and lower the mood: each is left out in turn."""
    from services.cli.explain import explain_text as explain

    explain(text, as_json=json)


@explain_app.command("audio")
def explain_audio(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording of one utterance, up to 30 s.")],
    *,
    plot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Also draw energy, pitch and mood over time as one picture.")
    ] = None,
) -> None:
    """Show how energy, pitch and mood of a voice go on: in windows of two seconds, every half second."""
    from services.cli.explain_audio import explain_audio as explain

    explain(file, plot)


def _exit_for(failed: int) -> None:
    if failed:
        raise typer.Exit(EXIT_BAD_INPUT)
