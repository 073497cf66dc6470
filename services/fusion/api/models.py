"""What requests and answers hold beside the results themselves."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from services.fusion.results import SessionSummary, TimelinePoint, TranscriptLine
from shared.emotions import MODALITIES, Modality
from shared.messages.score import ModalityScore
from shared.messages.session import DEFAULT_RETENTION_S, MAX_RETENTION_S, Purpose

_EXAMPLE_ID = "3q2-7wAAsBcDe_f0"


class NewSession(BaseModel):
    """A session to be created.

    Attributes:
        consent: Everyone who is captured has agreed to what is captured and why.
        purpose: What it is for.
        retention_s: Seconds after which everything about it is erased.
        modalities: What they agreed to.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"consent": True, "purpose": "personal", "modalities": ["text", "face"]}]},
    )

    consent: bool
    purpose: Purpose
    retention_s: Annotated[int, Field(gt=0, le=MAX_RETENTION_S)] = DEFAULT_RETENTION_S
    modalities: Annotated[tuple[Modality, ...], Field(min_length=1, max_length=len(MODALITIES))] = MODALITIES

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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "session_id": _EXAMPLE_ID,
                    "token": "mZ0r1r3yq1…",
                    "expires_at": "2030-01-02T12:00:00Z",
                }
            ]
        }
    )

    session_id: str
    token: str
    expires_at: AwareDatetime


class SessionAnswer(SessionSummary):
    """A session's result, with the parts that were asked for.

    Attributes:
        transcript: What was said, where ``include`` names it.
        timeline: The seconds with evidence, where ``include`` names it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "session_id": _EXAMPLE_ID,
                    "status": "complete",
                    "mood": {"score": 3.9, "low": 3.2, "high": 4.6, "label": "mostly happy", "relative": False},
                    "reason": None,
                    "distribution": {
                        "anger": 0.02,
                        "disgust": 0.01,
                        "fear": 0.01,
                        "joy": 0.58,
                        "neutral": 0.34,
                        "sadness": 0.02,
                        "surprise": 0.02,
                    },
                    "modalities": {
                        "face": {
                            "mood": 4.1,
                            "weight": 1.0,
                            "distribution": None,
                            "scored": 92,
                            "abstained": 8,
                            "reasons": ["face turned away in 8 of 100 frames"],
                        }
                    },
                    "accounting": {"face": {"published": 100, "scored": 92, "abstained": 8, "failed": 0, "expired": 0}},
                    "models": {"face": [{"name": "mien-face", "version": "1"}]},
                }
            ]
        }
    )

    transcript: tuple[TranscriptLine, ...] | None = None
    timeline: tuple[TimelinePoint, ...] | None = None


class Timeline(BaseModel):
    """The seconds of a session that have evidence, in order."""

    session_id: str
    timeline: tuple[TimelinePoint, ...]


class Evidence(BaseModel):
    """Scores and abstentions, in order of time."""

    session_id: str
    evidence: tuple[ModalityScore, ...]


class ErasureReceipt(BaseModel):
    """What an erasure removed.

    Attributes:
        session_id: Which session.
        erased_at: When.
        evidence: How many pieces of evidence were erased.
        keys: How many keys of the store were erased.
    """

    session_id: str
    erased_at: datetime
    evidence: int
    keys: int


class Health(BaseModel):
    """The service is well."""

    status: str
