"""The shape of a session's result, as people and programs get it."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.fusion.course import Course
from services.fusion.speaker import SpeakerResult
from services.fusion.state import Phase
from services.fusion.timeline import EvidenceRef, Smoothing
from shared.emotions import Modality
from shared.messages.details import Unit
from shared.messages.score import Distribution, ModelRef, Mood

INSUFFICIENT_EVIDENCE: Final = "insufficient_evidence"

Count = Annotated[int, Field(ge=0)]


class Result(BaseModel):
    """A part of a result; numbers are rounded to what they can mean."""

    model_config = ConfigDict(frozen=True)


class MoodResult(Result):
    """One mood.

    Attributes:
        score: 1 (very low) to 5 (very high).
        low: Lower end of the 80 % interval.
        high: Upper end of the 80 % interval.
        label: The same in words.
        relative: Whether it is relative to the person's own baseline, 3 being their usual; False where it is absolute.
        usual: The person's usual mood, where it is relative; else None.
        absolute: The same mood without the baseline, where it is relative; else None.
        disagreement: The two modalities that the label says disagree, or None.
    """

    score: Mood
    low: Mood
    high: Mood
    label: str
    relative: bool = False
    usual: Mood | None = None
    absolute: Mood | None = None
    disagreement: tuple[Modality, Modality] | None = None


class ModalityResult(Result):
    """What one modality says, and how much of the answer it is.

    Attributes:
        mood: Its own mood, 1..5, or None where it has no evidence.
        weight: Its share of the fused answer, 0..1; the shares of all modalities sum to one.
        distribution: Its own distribution, or None where it has no evidence.
        scored: Chunks that it judged.
        abstained: Chunks that it looked at and that carry no mood.
        reasons: What lowers its weight, in words.
    """

    mood: Mood | None
    weight: Unit
    distribution: Distribution | None
    scored: Count
    abstained: Count
    reasons: tuple[str, ...]


class TranscriptLine(Result):
    """One utterance, with the mood of its words, or None where they carry none."""

    start_s: float
    end_s: float
    text: str
    mood: Mood | None


class TimelineModality(Result):
    """What one modality says in one second.

    Attributes:
        mood: Its mood; always absolute.
        weight: Its share of the second.
        relative: The same mood relative to the person's usual, where the session's is; else None.
    """

    mood: Mood
    weight: Unit
    relative: Mood | None = None


class TimelinePoint(Result):
    """One second with evidence of its own.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends.
        mood: Smoothed over its neighbours, as the answer's ``smoothing`` says; relative where the session's mood is.
        low: Lower end of the 80 % interval.
        high: Upper end of the 80 % interval.
        unsmoothed: The mood of this second alone.
        absolute: The mood without the baseline, where it is relative; else None.
        modalities: What each modality says, smoothed alike, and its share.
        disagreement: Which two of them disagree, or None.
        evidence: The scores that it stands on; empty where they were not asked for.
    """

    start_s: float
    end_s: float
    mood: Mood
    low: Mood
    high: Mood
    unsmoothed: Mood
    absolute: Mood | None = None
    modalities: dict[Modality, TimelineModality]
    disagreement: tuple[Modality, Modality] | None = None
    evidence: tuple[EvidenceRef, ...] = ()


class Accounting(Result):
    """What became of a modality's chunks; of a complete session, ``published`` is the sum of the other five."""

    published: Count
    scored: Count
    abstained: Count
    failed: Count
    expired: Count
    forgotten: Count


class SessionSummary(Result):
    """A session's result without the parts that grow with its length.

    Attributes:
        session_id: Which session.
        status: ``live``, ``draining`` (ended, some scores still to come) or ``complete``.
        mood: The fused mood, or None where there is not enough evidence for a number.
        reason: Why there is no mood, or None.
        distribution: The fused distribution, or None where there is no mood.
        modalities: Each modality that the person agreed to.
        speaker: How the person speaks, where enough was heard to tell what is high or loud for them.
        accounting: What became of each modality's chunks.
        models: Which models scored, the busiest first.
    """

    session_id: str
    status: Phase
    mood: MoodResult | None
    reason: str | None
    distribution: Distribution | None
    modalities: dict[Modality, ModalityResult]
    speaker: SpeakerResult | None
    accounting: dict[Modality, Accounting]
    models: dict[Modality, tuple[ModelRef, ...]]


class SessionResult(SessionSummary):
    """A session's whole result.

    Attributes:
        transcript: What was said.
        timeline: The seconds with evidence.
        smoothing: How their moods take in their neighbours.
        course: Mean, peak, end and disagreements over time, or None where there is no mood.
    """

    transcript: tuple[TranscriptLine, ...]
    timeline: tuple[TimelinePoint, ...]
    smoothing: Smoothing
    course: Course | None
