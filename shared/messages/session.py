"""The beginning and the end of a session, and what is to be forgotten of it, told by the agent."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from shared.emotions import Modality
from shared.messages.base import JsonContract, Seconds

Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Purpose = Literal["personal", "research", "medical", "safety", "education", "workplace"]

USUAL_MIN: Final = 1.5
USUAL_MAX: Final = 4.5
UsualMood = Annotated[float, Field(ge=USUAL_MIN, le=USUAL_MAX)]
"""A person's usual mood; nearer to an end of the scale there is no room to compare others with it."""

DEFAULT_RETENTION_S: Final = 24 * 3600
MAX_RETENTION_S: Final = 30 * 24 * 3600


class SessionStarted(JsonContract):
    """A session has begun; sent once, before any media.

    Attributes:
        token_sha256: SHA-256 (hex) of the session's bearer token; the token itself never travels here.
        consent: The person has agreed to what is captured and why; a session without it is refused.
        purpose: What it is for; workplace and education are refused (EU AI Act, Art. 5(1)(f)).
        retention_s: Seconds after which everything about it is erased.
        modalities: What the person agreed to.
        agent_version: The version of the agent.
        started_at: When it began, by the agent's clock.
        baseline: The person's usual mood, 1.5..4.5, which they agreed to keep and be compared with; None for neither.
    """

    TYPE: ClassVar[str] = "session.started"

    token_sha256: Sha256
    consent: Literal[True]
    purpose: Purpose
    retention_s: Annotated[int, Field(gt=0, le=MAX_RETENTION_S)] = DEFAULT_RETENTION_S
    modalities: Annotated[tuple[Modality, ...], Field(min_length=1)]
    agent_version: str = Field(max_length=32)
    started_at: AwareDatetime
    baseline: UsualMood | None = None


class SessionEnded(JsonContract):
    """A session is over; sent once, after the last media.

    Attributes:
        duration_s: Length of the session in seconds.
        speech_chunks: How many speech chunks were published.
        frames: How many frames were published.
    """

    TYPE: ClassVar[str] = "session.ended"

    duration_s: Seconds
    speech_chunks: Count
    frames: Count


class SessionForget(JsonContract):
    """A stretch of a session is to be forgotten; sent whenever the person asks for it, and as often as they do.

    Whatever overlaps the stretch is erased, also where its score comes later.

    Attributes:
        start_s: Where it begins, in seconds from the start of the session.
        end_s: Where it ends; a moment at the end itself is not part of it.
    """

    TYPE: ClassVar[str] = "session.forget"

    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError("a stretch ends after it begins")
        return self
