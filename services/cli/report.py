"""Where the report of a session is written."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from services.fusion.report import render_html
from services.fusion.results import SessionResult
from shared.errors import BadInputError


def check_outputs(file: Path, outputs: Mapping[str, Path | None]) -> None:
    """Check, before the work whose results go there, that every output can be written and is a file of its own.

    Args:
        file: What is read.
        outputs: Where each thing is to be written, by what it is in a word; None for what is not.

    Raises:
        BadInputError: If one cannot be written, or is the file that is read or another output.
    """
    taken = {"file that is read": file}
    for what, path in outputs.items():
        if path is None:
            continue
        check_writable(path, what)
        other = next((name for name, each in taken.items() if _is_same(path, each)), None)
        if other is not None:
            raise BadInputError(f"The {what} would take the place of the {other}, {path}; give it a name of its own.")
        taken[what] = path


def check_writable(path: Path, what: str) -> None:
    """Check, before the work whose result goes there, that a file can be written.

    Args:
        path: The file; it may exist.
        what: What is to be written, in a word.

    Raises:
        BadInputError: If it cannot.
    """
    try:
        writable = not path.is_dir() and os.access(path if path.exists() else path.parent, os.W_OK)
    except OSError:  # its folder may not be entered, or its name is too long
        writable = False
    if not writable:
        raise BadInputError(f"The {what} cannot be written to {path}; name a file in a folder that is there and yours.")


def write_report(result: SessionResult, path: Path, *, title: str, began: datetime) -> None:
    """Write the report of a session.

    Args:
        result: The session.
        path: The file; replaced where it exists.
        title: What was analysed.
        began: When the session did.

    Raises:
        BadInputError: If the file cannot be written.
    """
    try:
        # Names of files need not be text.
        path.write_text(render_html(result, title=title, began=began), encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInputError(f"The report cannot be written to {path}: {error.strerror}.") from None


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve() or one.samefile(other)
    except OSError:  # one is not there, so that it is no other name of what is
        return False
