"""Keep a microphone's samples on the session's clock: the crystal of a sound card and that of the machine differ. Pure.

A block is late against the clock by what the device has drifted, plus however long it took to reach us. The second is
never negative, so that the least lateness of the last two seconds is the drift alone.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.messages.speech import SAMPLE_RATE_HZ

_WINDOW_S: Final = 2.0
_SLACK: Final = round(0.005 * SAMPLE_RATE_HZ)
"""Samples of drift that are let be; mending is inaudible, and still need not go on all the time."""

_GAP: Final = round(0.040 * SAMPLE_RATE_HZ)
"""Samples of drift that no crystal explains: samples were lost on the way, or came twice."""

_LEAST_BLOCK: Final = 200
"""A block is stretched or pressed by one part in so many at most: 0.5 %, thrice what is ever heard as a change of pitch
of speech, and fifty times what crystals differ by."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a block goes.

    Attributes:
        start: Its first sample, counted from the start of the session.
        skip: Samples at its beginning that are not used.
        count: Samples that the rest is stretched or pressed to.
    """

    start: int
    skip: int
    count: int


class SampleClock:
    """Places the blocks of one device, in order, so that each begins where the one before it ended, or after a gap."""

    def __init__(self) -> None:
        self._lateness: deque[tuple[float, float]] = deque()
        self._received = 0
        self._next: int | None = None

    def place(self, at_s: float, count: int, *, lost: bool = False) -> Placed:
        """Place the next block.

        Args:
            at_s: When its first sample was captured, in seconds from the start of the session, or later by whatever
                time it took until that was known.
            count: Its samples, at 16 kHz.
            lost: Whether the device says that samples were lost before it.
        """
        at = at_s * SAMPLE_RATE_HZ
        if self._next is None:
            self._next = max(0, round(at))
            self._received = round(at)
        if lost:
            self._lateness.clear()
        mended = self._next - self._received
        drift = self._drift(at_s, at - self._received)
        self._received += count
        return self._placed(self._next, round(drift - mended), count)

    def _drift(self, at_s: float, lateness: float) -> float:
        """Return the least lateness of the window; what is not less than a newer one is of no use any more."""
        while self._lateness and self._lateness[-1][1] >= lateness:
            self._lateness.pop()
        self._lateness.append((at_s, lateness))
        while self._lateness[0][0] < at_s - _WINDOW_S:
            self._lateness.popleft()
        return self._lateness[0][1]

    def _placed(self, start: int, drift: int, count: int) -> Placed:
        skip = 0
        if drift > _GAP:
            start += drift
        elif drift < -_GAP:
            skip = min(count, -drift)
        count -= skip
        if _SLACK < abs(drift) <= _GAP:
            most = count // _LEAST_BLOCK
            count += max(-most, min(most, drift))
        self._next = start + count
        return Placed(start, skip, count)


def fit(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Stretch or press samples, by linear interpolation.

    Args:
        samples: float32 array of shape (n,).
        count: How many samples to make of them.

    Returns:
        float32 array of shape (count,).
    """
    if count == len(samples) or not len(samples):
        return samples
    places = np.linspace(0, len(samples) - 1, count)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
