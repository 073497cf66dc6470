"""The window on a real X server: what it shows of a session that runs, what its buttons do, and how it ends."""

import os
import shutil
import subprocess
import tkinter as tk
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from tkinter import ttk
from typing import Final

import pytest
from PIL import Image, ImageGrab

from services.capture.sources.file import FileSource
from services.cli.live import StoreReadout
from services.cli.recording import Recording
from services.cli.window import Window
from services.embedded import Embedded
from shared.emotions import Modality
from shared.sessions import new_session
from tests.e2e.command import SAMPLE

SCREENSHOTS: Final = Path("build/screenshots")
PATIENCE_S: Final = 60.0


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """An X server of its own; the name of its display."""
    program = shutil.which("Xvfb")
    if program is None:
        sentence = "Xvfb is not on the PATH; install Debian's package xvfb"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(f"NOT TESTED on a real screen: {sentence}")
    read, write = os.pipe()
    command = [program, "-displayfd", str(write), "-screen", "0", "800x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as process, os.fdopen(read) as said:
        os.close(write)
        display = f":{said.readline().strip()}"
        yield display
        process.terminate()


@pytest.fixture(scope="module")
def mien() -> Iterator[Embedded]:
    with Embedded([Modality.FACE]) as mien:
        yield mien


class Person:
    """Somebody who looks at the window and presses its buttons."""

    def __init__(self, mien: Embedded, display: str) -> None:
        self.display = display
        started, _ = new_session([Modality.FACE])
        self.session_id = started.session_id
        source = FileSource(SAMPLE, realtime=True, audio=False)
        readout = StoreReadout(mien, started.session_id)
        self.recording = Recording(mien.agent(started, live=True), source, readout, live=True, remote=False)
        self.window = Window(self.recording, readout)
        self.recording.start()
        self.steps: list[tuple[Callable[[], bool], Callable[[], None]]] = []

    def when(self, is_so: Callable[[], bool], act: Callable[[], None]) -> None:
        """Do something as soon as something is so, after all that comes before it."""
        self.steps.append((is_so, act))

    def when_shown(self, words: str, act: Callable[[], None]) -> None:
        self.when(lambda: words in self.words(), act)

    def press(self, key: str) -> Callable[[], None]:
        return lambda: self._invoke(key)

    def _invoke(self, key: str) -> None:
        self.window.buttons[key].invoke()

    def keep(self, name: str) -> Image.Image:
        """Keep a picture of the whole screen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.window.root.update()
        picture = ImageGrab.grab(xdisplay=self.display)
        picture.save(SCREENSHOTS / f"{name}.png")
        return picture

    def words(self) -> str:
        """Return every word in the window."""
        return "\n".join(_words(self.window.root))

    def watch(self) -> None:
        """Let the window run until it is closed."""
        deadline = monotonic() + PATIENCE_S

        def look() -> None:
            # What is ordered of a window after its end is never freed, so that the next look is ordered first.
            self.window.root.after(50, look)
            if monotonic() > deadline:
                self.window.root.destroy()
            elif self.steps and self.steps[0][0]():
                self.steps.pop(0)[1]()

        self.window.root.after(50, look)
        root = weakref.ref(self.window.root)
        self.window.run()
        assert root() is None, "another thread's collection of garbage would meet Tk"
        assert not self.steps, "not all of it happened in time"


def _words(widget: tk.Misc) -> Iterator[str]:
    if isinstance(widget, tk.Canvas):
        for item in widget.find_withtag("words"):
            yield str(widget.itemcget(item, "text"))  # type: ignore[no-untyped-call]
    elif isinstance(widget, tk.Label | ttk.Label | ttk.Button):
        yield str(widget.cget("text"))
    for child in widget.winfo_children():
        yield from _words(child)


def test_it_shows_the_session_and_its_result(mien: Embedded, screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    person = Person(mien, screen)
    pictures: list[Image.Image] = []
    person.when_shown("face seen", lambda: None)
    person.when_shown("of 5", lambda: pictures.append(person.keep("window-recording")))
    person.when(lambda: True, person.press("p"))
    person.when_shown("PAUSED", person.press("p"))
    person.when_shown("● RECORDING", person.press("f"))
    person.when_shown("The last minute is forgotten", lambda: None)
    person.when(lambda: person.recording.look().status.elapsed_s > 5 and "of 5" in person.words(), person.press("q"))
    person.when_shown("nothing is recorded", lambda: None)
    person.when_shown("of the answer", lambda: pictures.append(person.keep("window-result")))
    person.when(lambda: True, person.press("close"))
    person.watch()
    result = person.window.result
    assert result is not None
    assert result.mood is not None
    assert result.accounting[Modality.FACE].forgotten > 0
    assert not person.recording.outcome().deleted
    assert all(len(picture.getcolors(1 << 20) or []) > 50 for picture in pictures), "a window is drawn"


def test_deleting_asks_first(mien: Embedded, screen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    person = Person(mien, screen)
    person.when_shown("● RECORDING", person.press("d"))
    person.when_shown("Delete everything", person.press("n"))
    person.when(lambda: "d" in person.window.buttons, person.press("d"))
    person.when_shown("Delete everything", person.press("y"))
    person.when_shown("The session is erased", person.recording.stop)
    person.watch()
    assert person.recording.outcome().deleted
    assert person.window.result is None
    assert mien.summary(person.recording.outcome().ended.session_id) is None


def test_a_session_that_is_deleted_elsewhere_stops_and_says_so(
    mien: Embedded, screen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", screen)
    person = Person(mien, screen)
    person.when_shown("face seen", lambda: discard(mien.erase(person.session_id)))
    person.when_shown("deleted elsewhere", lambda: None)
    person.when_shown("nothing is recorded", lambda: None)
    person.when_shown("nothing of it is left", person.recording.stop)
    person.watch()
    assert person.window.failure is None
    assert person.window.result is None
    assert person.recording.outcome().elsewhere


def discard(_: object) -> None:
    """Make nothing of what is returned."""
