"""``mien score``: one modality, one JSON object for each input, in the order of the inputs."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from services.cli.inputs import read_crop, read_image, read_lines, read_utterance, write_image
from services.cli.report import check_outputs
from shared.emotions import Modality
from shared.errors import BadInputError
from shared.messages.details import empty_details
from shared.messages.score import Judgement, ModelRef, Status
from shared.scoring import judge_apart

_BATCH: Final = 16
_TEXT_SUFFIXES: Final = frozenset({"", ".txt", ".text", ".md", ".tsv", ".csv"})

ItemT = TypeVar("ItemT")


def score_text_inputs(files: Sequence[Path]) -> int:
    """Print a judgement for each line of standard input or of text files, and for each recording.

    Args:
        files: Text files and recordings; empty for standard input.

    Returns:
        How many inputs could not be read or judged.
    """
    from services.text.worker import load_scorer

    scorer = load_scorer()
    if not files:
        _score_lines(read_lines(None), scorer.score_texts, scorer.model)
    failed = 0
    for path in files:
        if path.suffix.lower() not in _TEXT_SUFFIXES:
            failed += _score_files(Modality.TEXT, [path], read_utterance, scorer.score, scorer.model)
        elif (lines := _read(path, lambda path: list(read_lines(path)))) is not None:
            _score_lines(lines, scorer.score_texts, scorer.model)
        else:
            failed += 1
            _print(str(path), _failed(Modality.TEXT, "unreadable"), scorer.model)
    return failed


def score_audio_inputs(files: Sequence[Path]) -> int:
    """Print a judgement for each recording, and return how many could not be read or judged."""
    from services.audio.worker import load_scorer

    scorer = load_scorer()
    return _score_files(Modality.AUDIO, files, read_utterance, scorer.score, scorer.model)


def score_face_inputs(files: Sequence[Path], *, cropped: bool) -> int:
    """Print a judgement for each picture, and return how many could not be read or judged.

    Args:
        files: The pictures.
        cropped: Whether they are face crops already.
    """
    from services.face.worker import load_scorer

    scorer = load_scorer()
    if cropped:
        return _score_files(Modality.FACE, files, read_crop, scorer.score_crops, scorer.model)
    return _score_files(Modality.FACE, files, read_image, scorer.score, scorer.model)


def annotate_face(file: Path, target: Path) -> None:
    """Print the judgement of one picture, and write the picture with it drawn in.

    Args:
        file: The picture.
        target: Where the drawn one goes; its suffix says in which format (jpg, png).

    Raises:
        BadInputError: If the picture cannot be read or the other one not be written, or both are the same.
    """
    from services.face.worker import load_scorer

    check_outputs(file, {"drawn picture": target})
    scorer = load_scorer()
    judgement, picture = scorer.annotated(read_image(file))
    write_image(target, picture)
    _print(str(file), judgement, scorer.model)


def _score_lines(lines: Iterable[str], score: Callable[[Sequence[str]], list[Judgement]], model: ModelRef) -> None:
    for batch in _batches(lines):
        for line, judgement in zip(batch, score(batch), strict=True):
            _print(line, judgement, model)


def _score_files(
    modality: Modality,
    files: Sequence[Path],
    read: Callable[[Path], ItemT],
    score: Callable[[Sequence[ItemT]], list[Judgement]],
    model: ModelRef,
) -> int:
    def judge(named: Sequence[tuple[Path, ItemT]]) -> list[Judgement]:
        return score([content for _, content in named])

    def fail(named: tuple[Path, ItemT], error: Exception) -> Judgement:
        typer.echo(f"mien: {named[0]} cannot be judged: the model breaks on it ({type(error).__name__}).", err=True)
        return _failed(modality, "internal_error")

    failed = 0
    console = Console(stderr=True)
    progress = track(files, "Scoring", console=console, transient=True, disable=not console.is_terminal)
    for batch in _batches(progress):
        contents = [_read(path, read) for path in batch]
        readable = [(path, content) for path, content in zip(batch, contents, strict=True) if content is not None]
        judgements = iter(judge_apart(judge, readable, fail))
        for path, content in zip(batch, contents, strict=True):
            judgement = _failed(modality, "unreadable") if content is None else next(judgements)
            failed += judgement.status is Status.FAILED
            _print(str(path), judgement, model)
    return failed


def _read(path: Path, read: Callable[[Path], ItemT]) -> ItemT | None:
    try:
        return read(path)
    except BadInputError as error:
        typer.echo(f"mien: {error}", err=True)
        return None


def _failed(modality: Modality, reason: str) -> Judgement:
    return Judgement(status=Status.FAILED, reason=reason, details=empty_details(modality))


def _print(name: str, judgement: Judgement, model: ModelRef) -> None:
    fields = judgement.model_dump(mode="json")
    order = ("status", "reason", "mood", "distribution", "confidence", "quality", "details")
    line = {"input": name, **{key: fields[key] for key in order}, "model": model.model_dump()}
    typer.echo(json.dumps(line, ensure_ascii=False))


def _batches(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
