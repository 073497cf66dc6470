"""``mien replay``: the result of exported evidence, fused again."""

from pathlib import Path

import typer
from rich.console import Console

from services.cli.card import result_card
from services.fusion.replay import read_export, replay
from shared.errors import BadInputError


def replay_file(file: Path, *, as_json: bool) -> None:
    """Fuse the evidence in a file again and print its result.

    Args:
        file: Written by ``mien analyze --evidence``.
        as_json: Whether to print the result as JSON instead of a card.

    Raises:
        BadInputError: If the file cannot be read, is not an export, or lacks scores.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInputError(f"{file} cannot be read as text; name an export of evidence.") from None
    result = replay(read_export(text))
    if as_json:
        typer.echo(result.model_dump_json())
    else:
        Console().print(result_card(result))
