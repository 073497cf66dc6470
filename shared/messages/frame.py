"""A video frame on its way to the face workers."""

from typing import ClassVar, Final

from pydantic import AwareDatetime

from shared.messages.base import MediaContract, Seconds, Seq

MAX_FRAME_SIDE_PX: Final = 640


class FrameChunk(MediaContract):
    """One frame, JPEG, longest side at most 640 px.

    Attributes:
        seq: Counts the session's frames from 0.
        at_s: When it was taken, in seconds from the start of the session.
        captured_at: When it was taken, by the agent's clock.
    """

    TYPE: ClassVar[str] = "frame.chunk"
    CONTENT_TYPE: ClassVar[str] = "image/jpeg"

    seq: Seq
    at_s: Seconds
    captured_at: AwareDatetime

    @property
    def start_s(self) -> float:
        """Where it begins: a frame is a moment."""
        return self.at_s

    @property
    def end_s(self) -> float:
        """Where it ends: a frame is a moment."""
        return self.at_s
