"""A stretch of speech, cut by the agent at pauses, on its way to the text and audio workers."""

from typing import ClassVar, Final, Literal, Self

from pydantic import AwareDatetime, model_validator

from shared.messages.base import MediaContract, Seconds, Seq

SAMPLE_RATE_HZ: Final = 16_000
MAX_SPEECH_SECONDS: Final = 30.0


class SpeechChunk(MediaContract):
    """One utterance, FLAC, 16 kHz mono.

    Attributes:
        seq: Counts the session's speech chunks from 0.
        start_s: Where it begins, in seconds from the start of the session.
        end_s: Where it ends, in seconds from the start of the session.
        captured_at: When its last sample was captured.
        sample_rate_hz: Hertz; always 16,000.
    """

    TYPE: ClassVar[str] = "speech.chunk"
    CONTENT_TYPE: ClassVar[str] = "audio/flac"

    seq: Seq
    start_s: Seconds
    end_s: Seconds
    captured_at: AwareDatetime
    sample_rate_hz: Literal[16_000] = SAMPLE_RATE_HZ

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if not 0 < self.end_s - self.start_s <= MAX_SPEECH_SECONDS:
            raise ValueError(f"a speech chunk lasts more than 0 and at most {MAX_SPEECH_SECONDS:.0f} s")
        return self
