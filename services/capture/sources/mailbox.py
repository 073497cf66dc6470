"""What devices leave for the agent: all of the sound, and the newest picture."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition
from typing import Final

from services.capture.sources.port import AudioBlock, Tick, VideoFrame

_TICK_S: Final = 0.1
_MAX_BLOCKS: Final = 1_200
"""Blocks of sound that wait for a reader that is stuck: a minute of them; past it the oldest go, which leaves a gap."""


class Mailbox:
    """Takes from the devices' threads without ever making them wait, and gives to one reader.

    Attributes:
        started: When the session began, by the machine's monotonic clock.
    """

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._blocks: deque[AudioBlock] = deque(maxlen=_MAX_BLOCKS)
        self._frame: VideoFrame | None = None
        self._changed = Condition()

    @property
    def now_s(self) -> float:
        """Seconds since the start of the session."""
        return time.monotonic() - self.started

    def hear(self, block: AudioBlock) -> None:
        """Take the next block of sound."""
        with self._changed:
            self._blocks.append(block)
            self._changed.notify()

    def see(self, frame: VideoFrame) -> None:
        """Take a frame; one that nobody has fetched yet gives way to it."""
        with self._changed:
            self._frame = frame
            self._changed.notify()

    def items(self, is_over: Callable[[], bool]) -> Iterator[AudioBlock | VideoFrame | Tick]:
        """Give what comes, and the time where nothing does, until all is over."""
        over = False
        while not over:
            over = is_over()
            with self._changed:
                self._changed.wait_for(lambda: self._blocks or self._frame, 0 if over else _TICK_S)
                blocks, frame, self._frame = list(self._blocks), self._frame, None
                self._blocks.clear()
            yield from blocks
            if frame is not None:
                yield frame
            elif not blocks:
                yield Tick(self.now_s)
