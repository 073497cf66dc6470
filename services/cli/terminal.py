"""The view in a terminal, with its keys; where there is no terminal, a line now and then."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import replace
from time import monotonic
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live

from services.cli.keyboard import Keyboard, open_keyboard
from services.cli.recording import Recording
from services.cli.view import line, panel

_REDRAW_S: Final = 0.1
_LINE_EVERY_S: Final = 10.0
_NO_KEYS: Final = {"Ctrl+C": "end (no other key can be read here)"}


@contextmanager
def steady_console() -> Iterator[Console]:
    """Give a console on standard error that nobody else writes to.

    Libraries for sound and pictures complain on descriptor 2 by themselves, in the middle of what is shown; meanwhile
    it leads nowhere. What Python says on standard error goes on being shown.
    """
    own = os.fdopen(os.dup(2), "w", encoding="utf-8", buffering=1)  # stays open: what logs may outlive what is shown
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        with redirect_stderr(own):
            yield Console(file=own, highlight=False)
    finally:
        os.dup2(own.fileno(), 2)


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
    """End a session in order on SIGINT and SIGTERM."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: recording.stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _follow_on_screen(recording: Recording, console: Console, keyboard: Keyboard | None) -> None:
    def drawn() -> RenderableType:
        view = recording.look()
        return panel(view if keyboard is not None or not view.keys else replace(view, keys=_NO_KEYS))

    with Live(drawn(), console=console, auto_refresh=False, transient=True) as live:
        while not recording.over:
            if keyboard is None:
                recording.wait(_REDRAW_S)
            elif (key := keyboard.press(_REDRAW_S)) is not None:
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
