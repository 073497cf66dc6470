"""The view in a terminal, with its keys; where there is no terminal, a line now and then."""

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import replace
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console, RenderableType
from rich.live import Live

from services.cli.keyboard import Keyboard, open_keyboard
from services.cli.recording import Recording
from services.cli.view import line, panel

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_REDRAW_S: Final = 0.1
_LINE_EVERY_S: Final = 10.0
_SIGHUP: Final[signal.Signals | None] = getattr(signal, "SIGHUP", None)
_HUNG_UP: Final = frozenset({errno.EIO, errno.EPIPE, errno.ENXIO})
_NO_KEYS: Final = {"Ctrl+C": "end (no other key can be read here)"}


@contextmanager
def steady_console() -> Iterator[Console]:
    """Give a console on standard error that nobody else writes to.

    Libraries for sound and pictures complain on descriptor 2 by themselves, in the middle of what is shown; meanwhile
    it leads nowhere. What Python says on standard error goes on being shown, as long as there is a terminal.
    """
    own = _lasting(os.dup(2))  # stays open: what logs may outlive what is shown
    _lead_nowhere(2)
    try:
        with redirect_stderr(own):
            yield Console(file=own, highlight=False)
    finally:
        os.dup2(own.fileno(), 2)


@contextmanager
def unless_hung_up() -> Iterator[None]:
    """Print on standard output, where its terminal is still there; a file that cannot be written is still a failure.

    Raises:
        OSError: If it cannot be written for another reason.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _HUNG_UP:
            raise
        _lead_nowhere(1)  # what is still to be written would fail once more at the end of the process


def follow(recording: Recording, console: Console, *, has_keys: bool) -> None:
    """Show a session until it is over, and do what is pressed.

    Args:
        recording: The session; it is running.
        console: Where to show it.
        has_keys: Whether standard input is a person's.
    """
    with ending_on_signals(recording):
        if not console.is_terminal:
            _follow_in_lines(recording, console)
            return
        keyboard = open_keyboard() if has_keys and sys.stdin.isatty() else None
        with keyboard or nullcontext():
            _follow_on_screen(recording, console, keyboard)


@contextmanager
def ending_on_signals(recording: Recording) -> Iterator[None]:
    """End a session in order on SIGINT and SIGTERM, and where its terminal hangs up (SIGHUP)."""

    def hang_up(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # a shell says it once more, when what is left must not be cut short
        recording.stop()

    before = {number: signal.signal(number, lambda *_: recording.stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    # Windows has none, and what runs under nohup goes on.
    if _SIGHUP is not None and signal.getsignal(_SIGHUP) is not signal.SIG_IGN:
        before[_SIGHUP] = signal.signal(_SIGHUP, hang_up)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)


def _follow_on_screen(recording: Recording, console: Console, keyboard: Keyboard | None) -> None:
    def drawn() -> RenderableType:
        view = recording.look()
        return panel(view if keyboard is not None or not view.keys else replace(view, keys=_NO_KEYS))

    with Live(drawn(), console=console, auto_refresh=False, transient=True) as live:
        while not recording.over:
            if keyboard is None:
                recording.wait(_REDRAW_S)
            elif (key := _pressed(keyboard)) is not None:
                recording.press(key)
            live.update(drawn(), refresh=True)


def _follow_in_lines(recording: Recording, console: Console) -> None:
    """Print a line as soon as something is recorded, now and then, and where something goes missing or returns."""
    due, before = 0.0, None
    while not recording.wait(_REDRAW_S):
        view = recording.look()
        state = view.status.problem, view.status.link
        if view.status.elapsed_s and (monotonic() >= due or state != before):
            due, before = monotonic() + _LINE_EVERY_S, state
            console.print(line(view), soft_wrap=True, markup=False)


def _pressed(keyboard: Keyboard) -> str | None:
    """Return the key that is pressed, or None: also where the terminal is gone, which the signal tells anyway."""
    try:
        return keyboard.press(_REDRAW_S)
    except OSError:
        Event().wait(_REDRAW_S)  # nothing else holds up the next look
        return None


class _Lasting(io.FileIO):
    """Writes to a terminal as long as it is there, and to nowhere from then on."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _HUNG_UP:
                raise
            _lead_nowhere(self.fileno())
            return memoryview(data).nbytes


def _lasting(descriptor: int) -> TextIO:
    return io.TextIOWrapper(io.BufferedWriter(_Lasting(descriptor, "w")), encoding="utf-8", line_buffering=True)


def _lead_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
