"""The pictures of a file, sampled by time, the right way up and no larger than a message may carry."""

import math
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from services.capture.sources.clock import StreamClock
from services.capture.sources.port import VideoFrame
from shared.messages.frame import MAX_FRAME_SIDE_PX

_ROUNDING: Final = 1e-6


class PictureTrack:
    """Takes the first frame of every ``1 / fps`` seconds.

    Args:
        clock: The time of the stream.
        fps: Frames a second to give, at most.
        frame_s: Seconds from one frame to the next, where the file does not say it with the frame.
        pixel_aspect: Width of a pixel divided by its height.
    """

    def __init__(self, clock: StreamClock, fps: float, frame_s: float, pixel_aspect: float) -> None:
        self._clock = clock
        self._fps = fps
        self._frame_s = frame_s
        self._pixel_aspect = pixel_aspect
        self._last_slot = -1

    def add(self, frame: av.VideoFrame) -> VideoFrame | None:
        """Take the next decoded frame and return it converted, or None where its time slot has one already."""
        length_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else self._frame_s
        at_s = max(0.0, self._clock.place(frame.time, length_s))
        slot = math.floor(at_s * self._fps + _ROUNDING)
        if slot <= self._last_slot:
            return None
        self._last_slot = slot
        return VideoFrame(at_s, to_rgb(frame, self._pixel_aspect))


def to_rgb(frame: av.VideoFrame, pixel_aspect: float = 1.0) -> NDArray[np.uint8]:
    """Convert a decoded frame.

    Args:
        frame: The frame; its rotation, where the file states one, is applied.
        pixel_aspect: Width of a pixel divided by its height.

    Returns:
        RGB, uint8 array of shape (height, width, 3), square pixels, longest side at most 640 px; never enlarged.
    """
    wide = frame.width * pixel_aspect
    scale = min(1.0, MAX_FRAME_SIDE_PX / max(wide, frame.height))
    width, height = max(1, round(wide * scale)), max(1, round(frame.height * scale))
    image = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns), dtype=np.uint8)
