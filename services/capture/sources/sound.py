"""The sound of a file as blocks of 16 kHz mono without a gap."""

from collections.abc import Iterator
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from services.capture.sources.clock import StreamClock
from services.capture.sources.port import AudioBlock
from shared.errors import BadInputError
from shared.messages.speech import SAMPLE_RATE_HZ

_TOLERANCE_S: Final = 0.04
"""Difference between a timestamp and the count of samples that is put right; below what lip-sync standards allow."""

DOWNMIX_GAIN: Final = 0.5**0.5
"""FFmpeg adds channels up at constant power, so that two equal ones would clip; this makes stereo their mean."""

_PROBE_S: Final = 0.1
_PROBE_LEVEL: Final = 1 / 64
"""What is measured with must not clip, however many channels are added up."""


class SoundTrack:
    """Resamples decoded sound, fills gaps with silence and drops what overlaps.

    Args:
        clock: The time of the stream.
    """

    def __init__(self, clock: StreamClock) -> None:
        self._clock = clock
        self._resampler: av.AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._gain = 1.0
        self._read_s = 0.0
        self._given = 0
        self._missing_s = 0.0

    @property
    def missing_s(self) -> float:
        """Seconds of silence put where sound should have been, gaps or no numbers; a late start is not counted."""
        return self._missing_s

    def add(self, frame: av.AudioFrame) -> Iterator[AudioBlock]:
        """Take the next decoded frame of any rate, layout and format and give the blocks that it completes.

        Raises:
            BadInputError: If nobody knows how to mix so many channels.
        """
        length_s = frame.samples / frame.sample_rate
        gap_s = self._clock.place(frame.time, length_s) - self._read_s
        if gap_s > _TOLERANCE_S:
            self._missing_s += gap_s if self._format is not None else 0.0
            yield from self.flush()
            yield from self._silence(gap_s)
        if gap_s >= -_TOLERANCE_S:
            self._read_s += length_s
            yield from self._resample(frame)

    def flush(self) -> Iterator[AudioBlock]:
        """Give what the resampler still holds."""
        if self._resampler is not None:
            for frame in self._resampler.resample(None):
                yield self._block(frame.to_ndarray().reshape(-1))
        self._resampler = None

    def _resample(self, frame: av.AudioFrame) -> Iterator[AudioBlock]:
        format_now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or format_now != self._format:
            yield from self.flush()
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
            self._format = format_now
            try:
                self._gain = _gain_of(frame)
            except av.FFmpegError:
                channels = frame.layout.nb_channels
                raise BadInputError(f"Nobody knows how to mix {channels} channels of sound; keep one or two.") from None
        for resampled in self._resampler.resample(frame):
            yield self._block(resampled.to_ndarray().reshape(-1))

    def _silence(self, length_s: float) -> Iterator[AudioBlock]:
        """Give silence up to the exact sample, a second at a time."""
        self._read_s += length_s
        missing = round(self._read_s * SAMPLE_RATE_HZ) - self._given
        while missing > 0:
            count = min(missing, SAMPLE_RATE_HZ)
            yield self._block(np.zeros(count, dtype=np.float32))
            missing -= count

    def _block(self, samples: NDArray[Any]) -> AudioBlock:
        # Files of floats may hold anything; one sample that is no number would spoil whatever is computed of its chunk.
        self._missing_s += np.count_nonzero(np.isnan(samples)) / SAMPLE_RATE_HZ
        clean = np.clip(np.nan_to_num(samples * self._gain), -1.0, 1.0).astype(np.float32, copy=False)
        block = AudioBlock(self._given / SAMPLE_RATE_HZ, clean)
        self._given += len(samples)
        return block


def _gain_of(frame: av.AudioFrame) -> float:
    """Return what a mix to mono is to be multiplied by, so that equal channels are no louder than one.

    How much FFmpeg makes of each of more than two channels depends on where the speakers stand, and on the format; it
    is found by a constant in all of them.
    """
    channels, rate_hz = frame.layout.nb_channels, frame.sample_rate
    if channels <= 2:
        return 1.0 if channels == 1 else DOWNMIX_GAIN
    constant = np.full((1, channels * round(_PROBE_S * rate_hz)), _PROBE_LEVEL, dtype=np.float32)
    probe = av.AudioFrame.from_ndarray(constant, format="flt", layout=frame.layout.name)
    probe.sample_rate = rate_hz
    mixer = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    alike = av.AudioResampler(format=frame.format.name, layout=frame.layout.name, rate=rate_hz).resample(probe)
    mixed = [part.to_ndarray().reshape(-1) for each in alike for part in mixer.resample(each)]
    level = float(np.median(np.concatenate(mixed))) if mixed else 0.0
    return _PROBE_LEVEL / level if level > 0 else 1.0
