"""A source that is fed piece by piece, by whoever hears and sees: another thread, or a browser over a socket."""

from collections.abc import Iterator
from queue import Queue
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.capture.sources.live import LiveSource
from services.capture.sources.port import AudioBlock, VideoFrame
from shared.errors import BadInputError, UndecodableMessageError
from shared.media.jpeg import decode_jpeg
from shared.messages.base import MAX_SECONDS
from shared.messages.frame import MAX_FRAME_SIDE_PX

_MAX_WAITING: Final = 200
_FULL_SCALE: Final = 32768.0
_NO_MOMENT: Final = "The moment is none of this session; send the seconds since it began."


class PushSource(LiveSource):
    """Sound and pictures as they come; one thread feeds it, another one reads it to its end.

    Args:
        has_audio: Whether sound is taken; what nobody agreed to is dropped.
        has_video: Whether pictures are taken; what nobody agreed to is not even decoded.
    """

    def __init__(self, *, has_audio: bool, has_video: bool) -> None:
        super().__init__(has_audio=has_audio, has_video=has_video)
        self._items: Queue[AudioBlock | VideoFrame | None] = Queue(_MAX_WAITING)
        self._heard_s = 0.0
        self._is_over = False

    def hear(self, at_s: float, pcm: bytes) -> None:
        """Take the next sound, and where it begins, in seconds from the start; blocks while the reader is behind.

        Args:
            at_s: Later than the end of the sound before it where some was lost; never earlier, or it is placed there.
            pcm: 16 kHz mono, signed 16-bit little-endian.

        Raises:
            BadInputError: If it is not whole samples, or of no moment that a session could have.
        """
        if len(pcm) % 2:
            raise BadInputError("The sound is not whole samples of 16 bits; send signed 16-bit little-endian, mono.")
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / _FULL_SCALE
        block = AudioBlock(max(at_s, self._heard_s), samples)
        if not block.end_s <= MAX_SECONDS:
            raise BadInputError(_NO_MOMENT)
        self._heard_s = block.end_s
        if self.has_audio and len(samples):
            self._items.put(block)

    def see(self, at_s: float, jpeg: bytes) -> None:
        """Take a picture of a moment, in seconds from the start; blocks while the reader is behind.

        Raises:
            BadInputError: If it is not a JPEG that can be read, has more pixels than Full HD, or is of no moment that a
                session could have.
        """
        if not abs(at_s) <= MAX_SECONDS:
            raise BadInputError(_NO_MOMENT)
        if not self.has_video:
            return
        try:
            image = decode_jpeg(jpeg)
        except UndecodableMessageError as error:
            raise BadInputError(f"The picture cannot be read ({error}); send JPEG, at most Full HD.") from None
        self._items.put(VideoFrame(max(0.0, at_s), _to_frame(image)))

    def end(self) -> None:
        """Say that nothing more comes."""
        self._items.put(None)

    def __iter__(self) -> Iterator[AudioBlock | VideoFrame]:
        """Give what comes, until the end; from then on nothing, however often it is asked."""
        while not self._is_over:
            item = self._items.get()
            if item is None:
                self._is_over = True
            else:
                yield item


def _to_frame(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = MAX_FRAME_SIDE_PX / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
