"""A command at a terminal of its own: what it shows is read, and keys are pressed."""

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from fcntl import ioctl
from pathlib import Path
from time import monotonic
from typing import Final, Self

PATIENCE_S: Final = 60.0
CTRL_C: Final = "\x03"
_CONTROLS: Final = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class Terminal:
    """Runs ``mien`` at a terminal of 100 columns and 45 rows; a context manager, and what hangs is killed at its end.

    Args:
        arguments: What to run.
        environment: More for its environment.

    Attributes:
        raw: Everything that was shown so far.
    """

    def __init__(self, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> None:
        self._own, self._its = pty.openpty()
        ioctl(self._its, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 100, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services", *map(str, arguments)],
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
            start_new_session=True,
            preexec_fn=own_terminal,  # noqa: PLW1509  (nothing else makes Ctrl+C an interrupt)
        )
        os.close(self._its)
        self.raw = b""
        self._from = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._own)

    @property
    def shown(self) -> str:
        """Everything that was shown so far, without colours and movements."""
        return _plain(self.raw)

    def expect(self, words: str, seconds: float = PATIENCE_S) -> None:
        """Wait until words are shown that were not there when the last key was pressed."""
        deadline = monotonic() + seconds
        while words not in _plain(self.raw[self._from :]):
            assert self._read(deadline - monotonic()), f"{words!r} is not shown:\n{self.shown[-3000:]}"

    def press(self, keys: str) -> None:
        """Press keys; what is expected from now on must be shown anew."""
        self._from = len(self.raw)
        os.write(self._own, keys.encode())

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        deadline = monotonic() + PATIENCE_S
        while self._read(deadline - monotonic()):
            continue
        return self._process.wait(PATIENCE_S)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._own], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._own, 65536)
        except OSError:  # Linux says so where nobody is at the other end any more
            return False
        self.raw += data
        return bool(data)


def _plain(raw: bytes) -> str:
    return _CONTROLS.sub(b"", raw).decode(errors="replace")


def own_terminal() -> None:
    """Make standard input the terminal that controls the process."""
    ioctl(0, termios.TIOCSCTTY, 0)
