"""One piece of evidence about one stretch of time."""

import math
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import AwareDatetime, Field, model_validator

from shared.emotions import EMOTIONS, MOOD_MAX, MOOD_MIN, Emotion, Modality
from shared.messages.base import Contract, JsonContract, Seconds, Seq
from shared.messages.details import Details, Unit

Mood = Annotated[float, Field(ge=MOOD_MIN, le=MOOD_MAX)]
Distribution = dict[Emotion, Unit]


class Status(StrEnum):
    """What became of a chunk."""

    SCORED = "scored"
    ABSTAINED = "abstained"
    FAILED = "failed"


class Judgement(Contract):
    """What a scorer says of one window, without any identity.

    Attributes:
        status: ``scored``, or ``abstained`` where the window does not carry a mood, or ``failed``.
        reason: Why it abstained or failed, as a snake_case code; None where it scored.
        mood: 1 (very low) to 5 (very high); None unless scored.
        distribution: Over the seven emotions, summing to one; None unless scored.
        confidence: How sure the model is, 0..1: the calibrated probability of the top emotion.
        quality: How good the moment is to judge from, 0..1 (ASR confidence, signal level, face size and sharpness).
        details: What the modality saw or heard.
    """

    status: Status
    reason: str | None = Field(default=None, pattern=r"^[a-z0-9_]{1,64}$")
    mood: Mood | None = None
    distribution: Distribution | None = None
    confidence: Unit = 0.0
    quality: Unit = 0.0
    details: Details

    @model_validator(mode="after")
    def _check_complete(self) -> Self:
        if self.status is not Status.SCORED:
            if self.reason is None or self.mood is not None or self.distribution is not None:
                raise ValueError("what is not scored has a reason, and neither mood nor distribution")
            return self
        if self.mood is None or self.distribution is None or set(self.distribution) != set(EMOTIONS):
            raise ValueError("what is scored has a mood and all seven emotions")
        if not math.isclose(sum(self.distribution.values()), 1.0, abs_tol=1e-3):
            raise ValueError("a distribution sums to one")
        return self


class ModelRef(Contract):
    """Which model said so."""

    name: str = Field(max_length=64)
    version: str = Field(max_length=64)


class ModalityScore(Judgement, JsonContract):
    """A judgement with its place: named by ``(session_id, modality, seq)``, it may come late, twice or out of order.

    Attributes:
        modality: Who says so.
        seq: The ``seq`` of the chunk that was judged.
        captured_at: When the chunk was captured, by the agent's clock; None where an older worker did not say.
        start_s: Where the chunk begins, in seconds from the start of the session.
        end_s: Where it ends; equal to ``start_s`` for a frame.
        model: Which model said so.
        queue_s: Seconds between capture and the start of the work.
        compute_s: Seconds of work, shared equally by the messages of a micro-batch.
    """

    TYPE: ClassVar[str] = "score"

    modality: Modality
    seq: Seq
    captured_at: AwareDatetime | None = None
    start_s: Seconds
    end_s: Seconds
    model: ModelRef
    queue_s: float = 0.0
    compute_s: float = 0.0

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.details.kind != self.modality:
            raise ValueError("the details are of another modality")
        if self.end_s < self.start_s:
            raise ValueError("a score ends after it begins")
        return self
