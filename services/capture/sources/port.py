"""What the agent asks of a source of sound and pictures."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.messages.speech import SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """A stretch of sound that begins where the block before it ended; the first one of a recording begins at 0.

    Where a live source heard nothing for a while, the next block begins later, and nobody splices the two.

    Attributes:
        start_s: Where it begins, in seconds from the start of the session.
        samples: float32 array of shape (n,), any n, -1..1, 16 kHz mono.
    """

    start_s: float
    samples: NDArray[np.float32]

    @property
    def end_s(self) -> float:
        """Where it ends, in seconds from the start of the session."""
        return self.start_s + len(self.samples) / SAMPLE_RATE_HZ

    def since(self, moment_s: float) -> "AudioBlock | None":
        """Return what lies wholly after a moment, in seconds from the start of the session; None where nothing does."""
        if moment_s <= self.start_s:
            return self
        skip = math.ceil((moment_s - self.start_s) * SAMPLE_RATE_HZ) + 1  # one more, for places are rounded to samples
        if skip >= len(self.samples):
            return None
        return AudioBlock(self.start_s + skip / SAMPLE_RATE_HZ, self.samples[skip:])


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One sampled frame.

    Attributes:
        at_s: When it is shown, in seconds from the start of the session.
        image: RGB, uint8 array of shape (height, width, 3), longest side at most 640 px, the right way up.
    """

    at_s: float
    image: NDArray[np.uint8]

    @property
    def start_s(self) -> float:
        """When it is shown: a frame is a moment."""
        return self.at_s

    @property
    def end_s(self) -> float:
        """When it is shown: a frame is a moment."""
        return self.at_s


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing new; time goes on. Live sources give one now and then while nothing comes.

    Attributes:
        at_s: Seconds from the start of the session.
    """

    at_s: float

    @property
    def end_s(self) -> float:
        """How far the session has come."""
        return self.at_s


class Source(Protocol):
    """Gives sound and frames in presentation order, one item at a time."""

    @property
    def duration_s(self) -> float | None:
        """Length in seconds as the source states it, or None where it cannot know."""

    @property
    def has_audio(self) -> bool:
        """Whether it gives sound."""

    @property
    def has_video(self) -> bool:
        """Whether it gives frames."""

    @property
    def problem(self) -> str | None:
        """A sentence about what is missing now and will go on when it returns, or None. Any thread may ask."""

    def __iter__(self) -> Iterator[AudioBlock | VideoFrame | Tick]:
        """Read from the start.

        Raises:
            BadInputError: If nothing in it can be read.
        """
