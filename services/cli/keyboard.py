"""One press of a key at a time, without Enter, from a terminal."""

import os
import select
import sys
import termios
import tty
from typing import Self


class Keyboard:
    """Reads single keys while it is open, and leaves the terminal as it found it; a context manager.

    Ctrl+C stays the interrupt that it is.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._descriptor)
        # What was pressed a moment too early counts.
        tty.setcbreak(self._descriptor, termios.TCSADRAIN)
        return self

    def __exit__(self, *_: object) -> None:
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def press(self, timeout_s: float) -> str | None:
        """Wait for a key, at most so many seconds, and return it in lower case; None where none was pressed."""
        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        if not ready:
            return None
        return os.read(self._descriptor, 1).decode(errors="ignore").lower() or None
