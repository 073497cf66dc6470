"""One press of a key at a time, without Enter, from a terminal of a Unix or of Windows."""

import errno
import os
import select
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Final, Protocol, Self

_POLL_S: Final = 0.02
_ESCAPE: Final = b"\x1b"
_SEQUENCE_S: Final = 0.05
"""What a terminal sends for one key comes closer together than this; Escape alone is followed by nothing."""

_FIRST_OF_TWO: Final = "\x00\xe0"
"""What Windows puts before the code of a key without a character, such as an arrow."""


class Keyboard(Protocol):
    """Reads single keys while it is open, and leaves the terminal as it found it; a context manager.

    Ctrl+C stays the interrupt that it is.
    """

    def __enter__(self) -> Self:
        """Begin to read."""

    def __exit__(self, *_: object) -> None:
        """Read no more."""

    def press(self, timeout_s: float) -> str | None:
        """Wait for a key, at most so many seconds, and return it in lower case; None where none was pressed.

        Raises:
            OSError: If the terminal is gone.
        """


def open_keyboard() -> Keyboard | None:
    """Return what reads the keys of this system's terminal, or None where its Python has no way to."""
    for kind in (UnixKeyboard, WindowsKeyboard):
        try:
            return kind()
        except ModuleNotFoundError:
            continue
    return None


class UnixKeyboard:
    """Reads keys through ``termios``; see :class:`Keyboard`.

    Raises:
        ModuleNotFoundError: If this is not Unix.
    """

    def __init__(self) -> None:
        self._termios = import_module("termios")
        self._tty = import_module("tty")
        self._descriptor = sys.stdin.fileno()

    def __enter__(self) -> Self:
        self._before = self._termios.tcgetattr(self._descriptor)
        # What was pressed a moment too early counts.
        self._tty.setcbreak(self._descriptor, self._termios.TCSADRAIN)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(self._termios.error):  # the terminal is gone
            self._termios.tcsetattr(self._descriptor, self._termios.TCSADRAIN, self._before)

    def press(self, timeout_s: float) -> str | None:
        """Wait for a key; see :meth:`Keyboard.press`."""
        key = self._read(timeout_s)
        if key == _ESCAPE and self._skip_sequence():
            return None
        return key.decode(errors="ignore").lower() or None

    def _skip_sequence(self) -> bool:
        """Pass over what follows an escape, whose letters are no keys (ECMA-48, 5.4), and return whether anything did.

        End, for example, is ``ESC [ F``, and F4 on the console of Linux ``ESC [ [ D``.
        """
        byte = first = self._read(_SEQUENCE_S)
        while byte == _ESCAPE:
            byte = self._read(_SEQUENCE_S)
        if byte in {b"[", b"O"}:
            byte = self._read(_SEQUENCE_S)
            if byte == b"[":
                byte = self._read(_SEQUENCE_S)
            while byte and not b"@" <= byte <= b"~":
                byte = self._read(_SEQUENCE_S)
        return bool(first)

    def _read(self, timeout_s: float) -> bytes:
        """Wait for a byte, at most so many seconds, and return it; nothing where none came."""
        ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
        byte = os.read(self._descriptor, 1) if ready else b""
        if ready and not byte:
            raise OSError(errno.EIO, "the terminal is gone")
        return byte


class WindowsKeyboard:
    """Reads keys through ``msvcrt``; see :class:`Keyboard`.

    Raises:
        ModuleNotFoundError: If this is not Windows.
    """

    def __init__(self) -> None:
        self._msvcrt = import_module("msvcrt")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def press(self, timeout_s: float) -> str | None:
        """Wait for a key; see :meth:`Keyboard.press`."""
        deadline = time.monotonic() + timeout_s
        while not self._msvcrt.kbhit():
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL_S)
        key: str = self._msvcrt.getwch()
        if key in _FIRST_OF_TWO:
            self._msvcrt.getwch()
            return None
        return key.lower()
