"""The view in a terminal, with its keys; where there is no terminal, a line now and then."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from rich.console import Console
from rich.live import Live

from services.cli.keyboard import Keyboard
from services.cli.recording import Recording
from services.cli.view import line, panel

_REDRAW_S: Final = 0.1
_LINE_EVERY_S: Final = 10.0


@contextmanager
def steady_console() -> Iterator[Console]:
    """Give a console on standard error that stays one while a microphone is opened.

    Libraries for sound complain on standard error by themselves; the agent takes it away from them for a moment, and
    what is shown must not go with it.
    """
    with os.fdopen(os.dup(2), "w", encoding="utf-8") as own:
        yield Console(file=own, highlight=False)


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
        elif has_keys and sys.stdin.isatty():
            with Keyboard() as keyboard:
                _follow_on_screen(recording, console, keyboard)
        else:
            _follow_on_screen(recording, console, None)


@contextmanager
def ending_on_signals(recording: Recording) -> Iterator[None]:
    """End a session in order on SIGINT and SIGTERM."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: recording.stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _follow_on_screen(recording: Recording, console: Console, keyboard: Keyboard | None) -> None:
    with Live(panel(recording.look()), console=console, auto_refresh=False, transient=True) as live:
        while not recording.over:
            key = keyboard.press(_REDRAW_S) if keyboard is not None else None
            if keyboard is None:
                recording.wait(_REDRAW_S)
            elif key is not None:
                recording.press(key)
            live.update(panel(recording.look()), refresh=True)


def _follow_in_lines(recording: Recording, console: Console) -> None:
    """Print a line now and then, and at once where something goes missing or returns."""
    due, before = monotonic() + _LINE_EVERY_S, None
    while not recording.wait(_REDRAW_S):
        view = recording.look()
        state = view.status.problem, view.status.link
        if monotonic() >= due or (before is not None and state != before):
            due = monotonic() + _LINE_EVERY_S
            console.print(line(view), soft_wrap=True, markup=False)
        before = state
