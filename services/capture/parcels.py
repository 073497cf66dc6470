"""How what was heard and seen becomes chunks that are ready to leave, but for their ``seq``."""

from datetime import datetime

from services.capture.framing import Utterance
from services.capture.lane import Parcel
from services.capture.sources.port import VideoFrame
from shared.media.flac import encode_flac
from shared.media.jpeg import encode_jpeg
from shared.messages.frame import FrameChunk
from shared.messages.session import SessionStarted
from shared.messages.speech import SpeechChunk


def speech_parcel(started: SessionStarted, utterance: Utterance, captured_at: datetime) -> Parcel:
    """Return an utterance of a session; it takes as much room as it lasts.

    Args:
        started: The session.
        utterance: What was said.
        captured_at: When its last sample was captured.
    """
    chunk = SpeechChunk(
        session_id=started.session_id,
        traceparent=started.traceparent,
        media=encode_flac(utterance.samples),
        seq=0,
        start_s=utterance.start_s,
        end_s=utterance.end_s,
        captured_at=captured_at,
    )
    return Parcel(
        start_s=chunk.start_s,
        end_s=chunk.end_s,
        room=chunk.end_s - chunk.start_s,
        make=lambda seq: chunk.model_copy(update={"seq": seq}).to_message(),
    )


def frame_parcel(
    started: SessionStarted, frame: VideoFrame, captured_at: datetime, expiration_ms: int | None
) -> Parcel:
    """Return a frame of a session; each takes the same room.

    Args:
        started: The session.
        frame: What was seen.
        captured_at: When it was taken.
        expiration_ms: Milliseconds after which it is no longer worth scoring, or None.
    """
    chunk = FrameChunk(
        session_id=started.session_id,
        traceparent=started.traceparent,
        media=encode_jpeg(frame.image),
        seq=0,
        at_s=frame.at_s,
        captured_at=captured_at,
    )
    return Parcel(
        start_s=chunk.at_s,
        end_s=chunk.at_s,
        room=1,
        make=lambda seq: chunk.model_copy(update={"seq": seq}).to_message(expiration_ms=expiration_ms),
    )
