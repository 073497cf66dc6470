"""Raw sound from a pipe, such as standard input."""

from collections.abc import Iterator
from queue import Empty, Queue
from threading import Thread
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from services.capture.sources.live import LiveSource
from services.capture.sources.pcm16 import Pcm16
from services.capture.sources.port import AudioBlock, Tick
from shared.errors import BadInputError
from shared.messages.speech import SAMPLE_RATE_HZ

_READ_BYTES: Final = 6_400
_TICK_S: Final = 0.1
_MAX_WAITING: Final = 50


class PcmSource(LiveSource):
    """Signed 16-bit little-endian samples of a stream, to its end; its time is counted in samples.

    Whoever writes to it waits while the reader is behind. It can be read once.

    Args:
        stream: The stream, unbuffered or buffered.
        rate_hz: Its sample rate.
        channels: Its channels, interleaved: 1 or 2.

    Raises:
        BadInputError: If rate or channels cannot be.
    """

    def __init__(self, stream: BinaryIO, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1) -> None:
        if not 4_000 <= rate_hz <= 384_000 or channels not in {1, 2}:
            raise BadInputError("Raw sound has 4,000 to 384,000 samples a second and 1 or 2 channels; check both.")
        super().__init__(has_audio=True, has_video=False)
        self._stream = stream
        self._pcm = Pcm16(rate_hz, channels)
        self._blocks: Queue[NDArray[np.float32] | None] = Queue(_MAX_WAITING)

    def __iter__(self) -> Iterator[AudioBlock | Tick]:
        """Give the sound as it comes."""
        Thread(target=self._read, name="pcm", daemon=True).start()
        heard = 0
        while True:
            try:
                samples = self._blocks.get(timeout=_TICK_S)
            except Empty:
                yield Tick(heard / SAMPLE_RATE_HZ)
                continue
            if samples is None:
                return
            yield AudioBlock(heard / SAMPLE_RATE_HZ, samples)
            heard += len(samples)

    def _read(self) -> None:
        """Read on a thread of its own, for a pipe that is silent must not keep anybody from stopping."""
        rest = b""
        while data := self._read_some():
            data = rest + data
            whole = len(data) - len(data) % self._pcm.frame_bytes
            rest = data[whole:]
            self._blocks.put(self._pcm.convert(data[:whole]))
        self._blocks.put(self._pcm.flush())
        self._blocks.put(None)

    def _read_some(self) -> bytes:
        """Return what is there now, at least a byte, or nothing at the end."""
        read1 = getattr(self._stream, "read1", self._stream.read)
        return bytes(read1(_READ_BYTES))
