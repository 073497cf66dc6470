"""Keep a microphone's samples on the session's clock: the crystal of a sound card and that of the machine differ. Pure.

A block is late against the clock by what the device has drifted, plus however long it took to reach us. The second is
never negative, so that the least lateness of the last two seconds of sound is the drift alone. What the device says
itself about when it captured a block is not used: sound servers change their minds about it by more than a tenth of a
second while the samples flow on evenly.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.messages.speech import SAMPLE_RATE_HZ

_WINDOW: Final = 2 * SAMPLE_RATE_HZ
"""Samples, not seconds: blocks that were held up come in a burst, and the burst must be seen before it is judged."""

_WARM_UP: Final = round(0.25 * SAMPLE_RATE_HZ)
"""Samples after the device was opened that are not used: until then nobody knows how late its blocks come."""

_SLACK: Final = round(0.005 * SAMPLE_RATE_HZ)
"""Samples of drift that are let be; mending is inaudible, and still need not go on all the time."""

_LOSS: Final = round(0.040 * SAMPLE_RATE_HZ)
"""Samples that are missing where the device says that it lost some, and that become a gap at once."""

_BREAK: Final = round(0.250 * SAMPLE_RATE_HZ)
"""Samples past which the clock is believed although the device says nothing. Below, its buffers have become fuller or
emptier, which happens by fifty milliseconds at a time and loses nothing: that is mended as slowly as drift."""

_PART: Final = 800
"""A block is stretched or pressed by one sample in so many at most: inaudible, and twelve times what crystals need."""


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
        self._lateness: deque[tuple[int, float]] = deque()
        self._received = 0
        self._next = 0

    def place(self, at_s: float, count: int, *, lost: bool = False) -> Placed:
        """Place the next block.

        Args:
            at_s: When its first sample was captured, in seconds from the start of the session, or later by however
                long it took to reach us.
            count: Its samples, at 16 kHz.
            lost: Whether the device says that samples were lost before it.
        """
        at = at_s * SAMPLE_RATE_HZ
        if lost:
            self._lateness.clear()
        drift = self._drift(at - self._received)
        if self._received < _WARM_UP or at < 0:
            self._received += count
            self._next = max(0, round(self._received + drift))
            return Placed(self._next, count, 0)
        missing = round(drift - (self._next - self._received))
        self._received += count
        return self._placed(missing, count, _LOSS if lost else _BREAK)

    def _drift(self, lateness: float) -> float:
        """Return the least lateness of the window; what is not less than a newer one is of no use any more."""
        while self._lateness and self._lateness[-1][1] >= lateness:
            self._lateness.pop()
        self._lateness.append((self._received, lateness))
        while self._lateness[0][0] < self._received - _WINDOW:
            self._lateness.popleft()
        return self._lateness[0][1]

    def _placed(self, missing: int, count: int, bound: int) -> Placed:
        """Place a block before which some samples are missing, or are too many where the number is negative."""
        start = self._next + missing if missing > bound else self._next
        skip = min(count, -missing) if missing < -_BREAK else 0
        count -= skip
        if abs(missing) > _SLACK and start == self._next and not skip:
            most = count // _PART
            count += max(-most, min(most, missing))
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
