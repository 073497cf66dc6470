"""Open the dashboard in the browser, without its key in the list of processes."""

import os
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Final

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={link}">
<title>Mien</title>
<p><a href="{link}">Open the dashboard</a></p>
</html>
"""


@contextmanager
def opened(link: str) -> Iterator[None]:
    """Open a link by way of a file that only this user can read, as Jupyter does; the file is gone at the end.

    A browser is named what it opens on its command line, which everybody on this machine can read. Where the file
    cannot be written, or the browser cannot be started or read it, nothing happens: the link is printed too.

    Args:
        link: The link, with what is secret in it.
    """
    path: Path | None = None
    try:
        with suppress(OSError, webbrowser.Error):
            path = _page_of(link)
            webbrowser.open(path.as_uri())
        yield
    finally:
        if path is not None:
            with suppress(OSError):
                path.unlink()


def _page_of(link: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix="mien-", suffix=".html")  # with mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as page:
        page.write(_PAGE.format(link=escape(link)))
    return Path(name)
