"""Cut a stream of sound into utterances. Pure: samples and probabilities in, utterances out, no clock.

Every decision is taken on a grid of 512-sample windows, so that the result is the same however the stream is split into
blocks. An utterance ends at a pause, or at the quietest point before its greatest length. The two thresholds with
hysteresis are those of Silero VAD's own ``get_speech_timestamps``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.messages.speech import SAMPLE_RATE_HZ

WINDOW_SAMPLES: Final = 512
"""Samples that the voice-activity detector judges at once: 32 ms."""

VoiceActivity = Callable[[NDArray[np.float32]], float]
"""Probability of speech, 0..1, of the next window, float32 of shape (512,), 16 kHz. It may remember earlier windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramerConfig:
    """How speech is cut. Times are in seconds and are rounded to whole windows of 32 ms.

    Attributes:
        enter: Probability from which speech begins.
        leave: Probability below which speech is over; lower than ``enter``.
        pause_s: Silence that ends an utterance.
        join_s: Silence that ends an utterance with less speech than ``min_speech_s``, which is then dropped; speech
            that comes sooner is joined to it.
        margin_s: Sound kept before and after the speech.
        min_speech_s: Least speech in an utterance.
        max_s: Greatest length of an utterance, margins included.
    """

    enter: float = 0.5
    leave: float = 0.35
    pause_s: float = 0.5
    join_s: float = 1.0
    margin_s: float = 0.2
    min_speech_s: float = 0.25
    max_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.leave <= self.enter < 1:
            raise ValueError("thresholds must keep 0 < leave <= enter < 1")
        if not 0 <= self.margin_s <= self.pause_s <= self.join_s < self.max_s / 2:
            raise ValueError("lengths must keep 0 <= margin_s <= pause_s <= join_s < max_s / 2")
        if not 0 <= self.min_speech_s < self.max_s / 4:
            raise ValueError("min_speech_s must lie from 0 to a quarter of max_s")


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A stretch of speech.

    Attributes:
        start_sample: Where it begins, counted from the start of the stream.
        samples: float32 array of shape (n,), 16 kHz.
    """

    start_sample: int
    samples: NDArray[np.float32]

    @property
    def start_s(self) -> float:
        """Where it begins, in seconds from the start of the stream."""
        return self.start_sample / SAMPLE_RATE_HZ

    @property
    def end_s(self) -> float:
        """Where it ends, in seconds from the start of the stream."""
        return (self.start_sample + len(self.samples)) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class _Window:
    samples: NDArray[np.float32]
    energy: float
    speech: bool


@dataclass(slots=True)
class _Open:
    """The utterance under way; window numbers count from the first window kept."""

    last_speech: int
    speech: int
    continued: bool


class Framer:
    """Cuts one stream of sound, 16 kHz mono, into utterances.

    Args:
        voice_activity: Judges each window once, in order.
        config: How to cut.
        start_sample: The number of the stream's first sample; utterances are numbered from there.
    """

    def __init__(
        self, voice_activity: VoiceActivity, config: FramerConfig | None = None, start_sample: int = 0
    ) -> None:
        config = config or FramerConfig()
        self._voice_activity = voice_activity
        self._config = config
        self._start = start_sample
        self._pause = _windows(config.pause_s, up=True)
        self._join = _windows(config.join_s, up=True)
        self._min_speech = _windows(config.min_speech_s, up=True)
        self._margin = _windows(config.margin_s, up=False)
        self._max = _windows(config.max_s, up=False)
        self._rest: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._kept: list[_Window] = []
        self._first = 0
        self._open: _Open | None = None
        self._talking = False

    @property
    def speaking(self) -> bool:
        """Whether the newest window is speech."""
        return self._talking

    def push(self, block: NDArray[np.float32]) -> list[Utterance]:
        """Take the next block of the stream.

        Args:
            block: float32 array of shape (n,), any n, -1..1, 16 kHz.

        Returns:
            The utterances that ended, in order.
        """
        samples = np.concatenate([self._rest, block]).astype(np.float32, copy=False)
        whole = len(samples) - len(samples) % WINDOW_SAMPLES
        self._rest = samples[whole:].copy()
        found = [self._add(window) for window in samples[:whole].reshape(-1, WINDOW_SAMPLES)]
        return [utterance for utterance in found if utterance is not None]

    def flush(self) -> list[Utterance]:
        """End the stream and return what is still under way; the framer takes no more blocks after it."""
        found: list[Utterance | None] = []
        missing = 0
        if len(self._rest):
            missing = WINDOW_SAMPLES - len(self._rest)
            found.append(self._add(np.pad(self._rest, (0, missing))))
            self._rest = self._rest[:0]
        if self._open is not None:
            found.append(self._close(self._open))
        return [_trim(u, self._end_sample() - missing) for u in found if u is not None]

    def _add(self, samples: NDArray[np.float32]) -> Utterance | None:
        probability = self._voice_activity(samples)
        self._talking = probability >= (self._config.leave if self._talking else self._config.enter)
        self._kept.append(_Window(samples, float(np.square(samples, dtype=np.float64).sum()), self._talking))
        now = len(self._kept) - 1
        if self._open is None:
            if not self._talking:
                self._forget(max(0, len(self._kept) - self._margin))
                return None
            self._open = _Open(last_speech=now, speech=0, continued=False)
        if self._talking:
            self._open.last_speech = now
            self._open.speech += 1
        if now - self._open.last_speech >= (self._pause if self._is_enough(self._open) else self._join):
            return self._close(self._open)
        return self._cut() if len(self._kept) == self._max else None

    def _is_enough(self, utterance: _Open) -> bool:
        return utterance.continued or utterance.speech >= self._min_speech

    def _close(self, utterance: _Open) -> Utterance | None:
        """End the utterance after its margin; what follows may be the margin before the next one."""
        self._open = None
        taken = self._take(min(len(self._kept), utterance.last_speech + 1 + self._margin))
        self._forget(max(0, len(self._kept) - self._margin))
        return taken if self._is_enough(utterance) else None

    def _cut(self) -> Utterance:
        """End the utterance at its quietest point; what follows goes on as the next one, without a margin."""
        taken = self._take(self._quietest_boundary())
        speech = [number for number, window in enumerate(self._kept) if window.speech]
        self._open = _Open(last_speech=speech[-1], speech=len(speech), continued=True) if speech else None
        return taken

    def _quietest_boundary(self) -> int:
        """Return the boundary, in the later half, whose two windows have the least energy; the latest of equals."""
        energies = np.array([window.energy for window in self._kept])
        boundaries = np.arange(self._max - max(1, self._min_speech), self._max // 2 - 1, -1)
        return int(boundaries[np.argmin(energies[boundaries - 1] + energies[boundaries])])

    def _take(self, count: int) -> Utterance:
        samples = np.concatenate([window.samples for window in self._kept[:count]])
        utterance = Utterance(self._start + self._first * WINDOW_SAMPLES, samples)
        self._forget(count)
        return utterance

    def _forget(self, count: int) -> None:
        del self._kept[:count]
        self._first += count

    def _end_sample(self) -> int:
        return self._start + (self._first + len(self._kept)) * WINDOW_SAMPLES


def _windows(seconds: float, *, up: bool) -> int:
    samples = round(seconds * SAMPLE_RATE_HZ)
    return -(-samples // WINDOW_SAMPLES) if up else samples // WINDOW_SAMPLES


def _trim(utterance: Utterance, end_sample: int) -> Utterance:
    return Utterance(utterance.start_sample, utterance.samples[: max(0, end_sample - utterance.start_sample)])
