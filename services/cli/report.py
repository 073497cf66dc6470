"""Where the report of a session is written."""

from pathlib import Path

from services.fusion.report import render_html
from services.fusion.results import SessionResult
from shared.errors import BadInputError


def write_report(result: SessionResult, path: Path, *, title: str) -> None:
    """Write the report of a session.

    Args:
        result: The session.
        path: The file; replaced where it exists.
        title: What was analysed.

    Raises:
        BadInputError: If the file cannot be written.
    """
    try:
        path.write_text(render_html(result, title=title), encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"The report cannot be written to {path}: {error.strerror}.") from None
