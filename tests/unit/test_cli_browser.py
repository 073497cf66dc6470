"""How the dashboard is opened: what is secret in its link is in nobody's list of processes."""

import html
import stat
import sys
import tempfile
import webbrowser
from pathlib import Path
from urllib.request import url2pathname

import pytest

from services.cli import browser

LINK = 'http://127.0.0.1:8000/#key=secret&session=session-0001&token="quoted"'


class Paper(webbrowser.BaseBrowser):
    """A browser that writes down what it is told to open, and shows nothing."""

    def __init__(self) -> None:
        super().__init__("paper")
        self.opened: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: FBT002, ARG002  (its own)
        self.opened.append(url)
        return True


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Paper:
    paper = Paper()
    monkeypatch.setattr(webbrowser, "_tryorder", ["paper"])
    monkeypatch.setattr(webbrowser, "_browsers", {"paper": [None, paper]})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return paper


def test_the_browser_is_told_a_file_of_this_user_alone_which_leads_to_the_link(paper: Paper) -> None:
    with browser.opened(LINK):
        (url,) = paper.opened
        assert url.startswith("file:///")
        assert "secret" not in url
        page = Path(url2pathname(url.removeprefix("file://")))
        if sys.platform != "win32":
            assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert f'content="0; url={html.escape(LINK)}"' in page.read_text()
    assert not page.exists()


def test_the_file_is_gone_whatever_happens_meanwhile(paper: Paper, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), browser.opened(LINK):
        raise KeyboardInterrupt
    assert len(paper.opened) == 1
    assert list(tmp_path.iterdir()) == []


def test_where_no_file_can_be_written_or_no_browser_be_found_the_session_goes_on(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with browser.opened(LINK):
        assert paper.opened == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    with browser.opened(LINK):
        assert paper.opened == []
    assert list(tmp_path.iterdir()) == []
