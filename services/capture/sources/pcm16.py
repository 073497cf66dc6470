"""Raw samples, as sound cards and pipes give them, to 16 kHz mono."""

from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from services.capture.sources.sound import DOWNMIX_GAIN
from shared.messages.speech import SAMPLE_RATE_HZ

_FULL_SCALE: Final = 32768.0


class Pcm16:
    """Converts one stream of signed 16-bit little-endian samples.

    Args:
        rate_hz: Its sample rate.
        channels: Its channels, interleaved: 1 or 2.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._channels = channels
        self._resampler: av.AudioResampler | None = None
        if (rate_hz, channels) != (SAMPLE_RATE_HZ, 1):
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return 2 * self._channels

    def convert(self, data: bytes) -> NDArray[np.float32]:
        """Take the next whole samples.

        Returns:
            What they complete: float32 array of shape (n,), -1..1, 16 kHz mono.
        """
        if self._resampler is None or not data:
            return np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(_FULL_SCALE)
        layout = "mono" if self._channels == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(np.frombuffer(data, dtype="<i2").reshape(1, -1), "s16", layout)
        frame.sample_rate = self._rate_hz
        return self._resample(self._resampler, frame)

    def flush(self) -> NDArray[np.float32]:
        """End the stream and return what the resampler still holds; it takes no more after it."""
        return np.empty(0, np.float32) if self._resampler is None else self._resample(self._resampler, None)

    def _resample(self, resampler: av.AudioResampler, frame: av.AudioFrame | None) -> NDArray[np.float32]:
        gain = np.float32(1.0 if self._channels == 1 else DOWNMIX_GAIN)
        parts = [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
        return np.concatenate([np.empty(0, np.float32), *parts]) * gain
