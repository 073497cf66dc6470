"""Where the report of a session is written."""

import os
from datetime import datetime
from pathlib import Path

from services.fusion.report import render_html
from services.fusion.results import SessionResult
from shared.errors import BadInputError


def check_writable(path: Path, what: str) -> None:
    """Check, before the work whose result goes there, that a file can be written.

    Args:
        path: The file; it may exist.
        what: What is to be written, in a word.

    Raises:
        BadInputError: If it cannot.
    """
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
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
        path.write_text(render_html(result, title=title, began=began), encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"The report cannot be written to {path}: {error.strerror}.") from None
