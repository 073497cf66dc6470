"""What requests and answers hold beside the results themselves."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from services.fusion.api import examples
from services.fusion.course import Course
from services.fusion.results import SessionSummary, TimelinePoint, TranscriptLine
from services.fusion.speaker import RelativeVoice
from services.fusion.timeline import Smoothing
from shared.emotions import MODALITIES, Modality
from shared.messages.base import MAX_SECONDS, Seconds
from shared.messages.score import ModalityScore, Mood
from shared.messages.session import DEFAULT_RETENTION_S, MAX_RETENTION_S, Purpose, UsualMood
from shared.messages.typed import MAX_TYPED_CHARACTERS

MAX_EVIDENCE: Final = 1000
MAX_POINTS: Final = 2000


class NewSession(BaseModel):
    """A session to be created.

    Attributes:
        consent: Everyone who is captured has agreed to what is captured and why.
        purpose: What it is for.
        retention_s: Seconds after which everything about it is erased.
        modalities: What they agreed to.
        baseline: The person's usual mood, 1.5..4.5, where they agreed to be compared with it: from ``mien calibrate``.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.NEW_SESSION]})

    consent: bool
    purpose: Purpose
    retention_s: Annotated[int, Field(gt=0, le=MAX_RETENTION_S)] = DEFAULT_RETENTION_S
    modalities: Annotated[tuple[Modality, ...], Field(min_length=1, max_length=len(MODALITIES))] = MODALITIES
    baseline: UsualMood | None = None

    @field_validator("consent")
    @classmethod
    def _check_consent(cls, consent: bool) -> bool:  # noqa: FBT001 - pydantic's signature
        if not consent:
            raise ValueError("a session needs the consent of everyone who is captured")
        return consent


class CreatedSession(BaseModel):
    """A session that was created.

    Attributes:
        session_id: Its id; not a secret.
        token: Its bearer token; shown this once, only its hash is kept.
        expires_at: When everything about it is erased.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CREATED]})

    session_id: str
    token: str
    expires_at: AwareDatetime


class SessionAnswer(SessionSummary):
    """A session's result, with the parts that were asked for.

    Attributes:
        transcript: What was said, where ``include`` names it.
        timeline: The seconds with evidence, where ``include`` names it.
        smoothing: How their moods take in their neighbours; with the timeline or the course.
        course: Mean, peak, end and disagreements over time, where ``include`` names it or the timeline.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SUMMARY]})

    transcript: tuple[TranscriptLine, ...] | None = None
    timeline: tuple[TimelinePoint, ...] | None = None
    smoothing: Smoothing | None = None
    course: Course | None = None


class ListedSession(BaseModel):
    """A session in a list; what is in it opens to its own token alone.

    Attributes:
        session_id: Its id.
        created_at: When it began.
        expires_at: When everything about it is erased.
        duration_s: Its length in seconds, or None where it goes on.
        purpose: What it is for.
        modalities: What the people in it agreed to.
    """

    session_id: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    duration_s: float | None
    purpose: Purpose
    modalities: tuple[Modality, ...]


class SessionPage(BaseModel):
    """Sessions, the newest first.

    Attributes:
        sessions: A page of them.
        next_cursor: What to send as ``cursor`` for the next page, or None where this is the last.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PAGE]})

    sessions: tuple[ListedSession, ...]
    next_cursor: str | None


class WrittenText(BaseModel):
    """Words that a person typed.

    Attributes:
        text: The words, in English.
        at_s: When they were typed, in seconds from the start of the session; now, where it is left out.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": "I am glad that it works."}]})

    text: Annotated[str, Field(min_length=1, max_length=MAX_TYPED_CHARACTERS, pattern=r"\S")]
    at_s: Seconds | None = None


class Stretch(BaseModel):
    """A stretch of a session, in seconds from its start; a moment at its end is not part of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"start_s": 30.0, "end_s": 90.0}]})

    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError("a stretch ends after it begins")
        return self


class AcceptedText(BaseModel):
    """A typed text is on its way; its score has this ``seq``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"session_id": examples.SESSION_ID, "modality": "text", "seq": 2**52}]}
    )

    session_id: str
    modality: Modality = Modality.TEXT
    seq: int


class AcceptedMedia(BaseModel):
    """A recording is being read; events of kind ``progress`` tell how far."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"session_id": examples.SESSION_ID, "bytes": 1_048_576}]})

    session_id: str
    bytes: int


class TimelineQuery(BaseModel):
    """Which part of a timeline is wanted, and how finely."""

    start_s: Annotated[Seconds, Field(description="First second.")] = 0.0
    end_s: Annotated[Seconds, Field(description="Where the span ends; not part of it.")] = MAX_SECONDS
    resolution_s: Annotated[int, Field(ge=1, le=3600, description="Seconds of one point.")] = 1
    points: Annotated[
        int, Field(ge=10, le=MAX_POINTS, description="Most points; the resolution is made coarser to keep it.")
    ] = MAX_POINTS
    evidence: Annotated[bool, Field(description="Whether every point names the scores that it stands on.")] = True


class Timeline(BaseModel):
    """The stretches of a session that have evidence, in order.

    Attributes:
        session_id: Which session.
        resolution_s: Length of each stretch, in seconds.
        smoothing: How their moods take in their neighbours.
        relative: Whether their moods are relative to the person's own baseline, 3 being their usual.
        usual: The person's usual mood, where they are relative; else None.
        timeline: The stretches.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.TIMELINE]})

    session_id: str
    resolution_s: int
    smoothing: Smoothing
    relative: bool
    usual: Mood | None
    timeline: tuple[TimelinePoint, ...]


class EvidenceQuery(BaseModel):
    """Which part of the evidence is wanted."""

    modality: Modality | None = None
    start_s: Annotated[Seconds, Field(description="First second.")] = 0.0
    end_s: Annotated[Seconds, Field(description="Where the span ends; not part of it.")] = MAX_SECONDS
    limit: Annotated[int, Field(ge=1, le=MAX_EVIDENCE, description="Most scores of a page.")] = 200
    cursor: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9]{1,10}(\.[0-9]{1,24})?(e-[0-9]{1,3})?:[0-9]{1,6}$",
            description="`next_cursor` of the page before.",
        ),
    ] = None


class EvidenceItem(ModalityScore):
    """A score or an abstention.

    Attributes:
        traceparent: The trace context that it came with.
        relative_voice: Of a voice, how it sounds beside what is usual for its speaker.
    """

    traceparent: Annotated[str | None, Field(max_length=128)] = None
    relative_voice: RelativeVoice | None = None


class Evidence(BaseModel):
    """Scores and abstentions, in order of time.

    Attributes:
        session_id: Which session.
        evidence: A page of them.
        next_cursor: What to send as ``cursor`` for the next page, or None where this is the last.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.EVIDENCE]})

    session_id: str
    evidence: tuple[EvidenceItem, ...]
    next_cursor: str | None


class ErasureReceipt(BaseModel):
    """What an erasure removed.

    Attributes:
        session_id: Which session.
        erased_at: When.
        evidence: How many pieces of evidence were erased.
        keys: How many keys of the store were erased.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RECEIPT]})

    session_id: str
    erased_at: datetime
    evidence: int
    keys: int


class Health(BaseModel):
    """The service is well."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: str
