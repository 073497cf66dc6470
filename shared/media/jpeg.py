"""Frames as JPEG."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import UndecodableMessageError
from shared.messages.frame import FrameChunk
from shared.messages.message import Message
from shared.scoring import FrameWindow

MAX_PIXELS: Final = 1920 * 1080
_QUALITY: Final = 85
_SIZE_MARKERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKERS_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """Encode an RGB image, uint8 array of shape (height, width, 3)."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be encoded as JPEG")
    return data.tobytes()


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """Decode a JPEG after its header has said that it is not too large.

    Returns:
        RGB, uint8 array of shape (height, width, 3).

    Raises:
        UndecodableMessageError: If it is not a JPEG, is damaged, or has more than :data:`MAX_PIXELS` pixels.
    """
    height, width = jpeg_size(data)
    if height * width > MAX_PIXELS:
        raise UndecodableMessageError(f"a frame of {width}x{height} pixels is over the limit of {MAX_PIXELS}")
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise UndecodableMessageError("the frame does not decode as JPEG")
    return np.asarray(image, dtype=np.uint8)


def read_frame(message: Message) -> tuple[FrameChunk, FrameWindow]:
    """Check a frame and decode it.

    Raises:
        UndecodableMessageError: If it is not a frame, or as :func:`decode_jpeg` does.
    """
    chunk = FrameChunk.from_message(message)
    return chunk, FrameWindow(session_id=chunk.session_id, at_s=chunk.at_s, image=decode_jpeg(chunk.media))


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return (height, width) from the header, reading no pixel (ITU-T T.81, B.2.2).

    Raises:
        UndecodableMessageError: If there is no JPEG header.
    """
    position = 2
    while data[:2] == b"\xff\xd8" and position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in _SIZE_MARKERS:
            height = int.from_bytes(data[position + 5 : position + 7])
            width = int.from_bytes(data[position + 7 : position + 9])
            if height and width:
                return height, width
            break
        if marker == 0xFF:
            position += 1
        elif marker in _MARKERS_WITHOUT_LENGTH:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
    raise UndecodableMessageError("the frame has no JPEG header")
