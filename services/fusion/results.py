"""The result of a session as people and programs get it, built from what the store knows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.fusion.accumulate import BIN_S, Accumulator
from services.fusion.fuse import Fused, ModalityView, fuse
from services.fusion.labels import label_of, reasons_of
from services.fusion.parameters import DEFAULT_PARAMETERS, FusionParameters
from services.fusion.state import Counts, Outcome, Phase, SessionState, TimelineBin
from shared.emotions import Modality, as_mapping
from shared.messages.details import TextDetails, Unit
from shared.messages.score import Distribution, ModalityScore, ModelRef, Mood

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
        relative: Whether it is relative to the person's own baseline; False where it is absolute.
    """

    score: Mood
    low: Mood
    high: Mood
    label: str
    relative: bool = False


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
    """What one modality says in one second, and its share of that second."""

    mood: Mood
    weight: Unit


class TimelinePoint(Result):
    """One second with evidence; ``low`` to ``high`` is the 80 % interval."""

    start_s: float
    end_s: float
    mood: Mood
    low: Mood
    high: Mood
    modalities: dict[Modality, TimelineModality]


class Accounting(Result):
    """What became of a modality's chunks; of a complete session, ``published`` is the sum of the other four."""

    published: Count
    scored: Count
    abstained: Count
    failed: Count
    expired: Count


class SessionSummary(Result):
    """A session's result without the parts that grow with its length.

    Attributes:
        session_id: Which session.
        status: ``live``, ``draining`` (ended, some scores still to come) or ``complete``.
        mood: The fused mood, or None where there is not enough evidence for a number.
        reason: Why there is no mood, or None.
        distribution: The fused distribution, or None where there is no mood.
        modalities: Each modality that the person agreed to.
        accounting: What became of each modality's chunks.
        models: Which models scored, the busiest first.
    """

    session_id: str
    status: Phase
    mood: MoodResult | None
    reason: str | None
    distribution: Distribution | None
    modalities: dict[Modality, ModalityResult]
    accounting: dict[Modality, Accounting]
    models: dict[Modality, tuple[ModelRef, ...]]


class SessionResult(SessionSummary):
    """A session's whole result.

    Attributes:
        transcript: What was said.
        timeline: The seconds with evidence.
    """

    transcript: tuple[TranscriptLine, ...]
    timeline: tuple[TimelinePoint, ...]


def build_result(
    state: SessionState,
    timeline: Sequence[TimelineBin],
    evidence: Iterable[ModalityScore],
    parameters: FusionParameters = DEFAULT_PARAMETERS,
) -> SessionResult:
    """Return a session's whole result.

    Args:
        state: Its sums and counts.
        timeline: Its seconds.
        evidence: Its scores; those of text become the transcript.
        parameters: The numbers of the fusion rule.
    """
    summary = build_summary(state, parameters)
    return SessionResult(
        **dict(summary),
        transcript=build_transcript(evidence),
        timeline=build_timeline(state, timeline, parameters),
    )


def build_summary(state: SessionState, parameters: FusionParameters = DEFAULT_PARAMETERS) -> SessionSummary:
    """Return a session's result without transcript and timeline, at a cost that does not grow with its length."""
    fused = fuse(_agreed(state, state.sums), parameters)
    views = fused.views if fused else {}
    return SessionSummary(
        session_id=state.session_id,
        status=state.phase,
        mood=_mood(fused) if fused else None,
        reason=None if fused else INSUFFICIENT_EVIDENCE,
        distribution=_distribution(fused) if fused else None,
        modalities={m: _modality(m, state.counts_of(m), views.get(m)) for m in state.modalities},
        accounting={m: _accounting(state.published(m), state.counts_of(m)) for m in state.modalities},
        models={m: _models(state.counts_of(m).models) for m in state.modalities if state.counts_of(m).models},
    )


def build_timeline(
    state: SessionState, bins: Sequence[TimelineBin], parameters: FusionParameters = DEFAULT_PARAMETERS
) -> tuple[TimelinePoint, ...]:
    """Return the seconds that have enough evidence, each fused by itself."""
    agreed = ((each.index, _agreed(state, each.sums)) for each in bins)
    fused = ((index, fuse(sums, parameters, minimum_s=parameters.minimum_bin_s)) for index, sums in agreed)
    return tuple(_point(index, second) for index, second in fused if second is not None)


def build_transcript(evidence: Iterable[ModalityScore]) -> tuple[TranscriptLine, ...]:
    """Return what was said, from the scores of text that have words."""
    return tuple(
        TranscriptLine(start_s=score.start_s, end_s=score.end_s, text=score.details.transcript, mood=score.mood)
        for score in evidence
        if isinstance(score.details, TextDetails) and score.details.transcript
    )


def _agreed(state: SessionState, sums: Mapping[Modality, Accumulator]) -> dict[Modality, Accumulator]:
    """Keep what the person agreed to."""
    return {modality: sums[modality] for modality in state.modalities if modality in sums}


def _mood(fused: Fused) -> MoodResult:
    return MoodResult(
        score=_round(fused.mood), low=_round(fused.low), high=_round(fused.high), label=label_of(fused), relative=False
    )


def _distribution(of: Fused | ModalityView) -> Distribution:
    return {emotion: _round(p, 4) for emotion, p in as_mapping(of.distribution).items()}


def _modality(modality: Modality, counts: Counts, view: ModalityView | None) -> ModalityResult:
    return ModalityResult(
        mood=_round(view.mood) if view else None,
        weight=_round(view.share, 3) if view else 0.0,
        distribution=_distribution(view) if view else None,
        scored=counts.of(Outcome.SCORED),
        abstained=counts.of(Outcome.ABSTAINED),
        reasons=tuple(reasons_of(modality, counts, view)),
    )


def _accounting(published: int, counts: Counts) -> Accounting:
    return Accounting(published=published, **{outcome.value: counts.of(outcome) for outcome in Outcome})


def _models(models: Mapping[str, int]) -> tuple[ModelRef, ...]:
    ranked = sorted(models, key=lambda model: (-models[model], model))
    parts = (model.rpartition(" ") for model in ranked)
    return tuple(ModelRef(name=name, version=version) for name, _, version in parts)


def _point(index: int, second: Fused) -> TimelinePoint:
    return TimelinePoint(
        start_s=index * BIN_S,
        end_s=(index + 1) * BIN_S,
        mood=_round(second.mood),
        low=_round(second.low),
        high=_round(second.high),
        modalities={
            modality: TimelineModality(mood=_round(view.mood), weight=_round(view.share, 3))
            for modality, view in second.views.items()
        },
    )


def _round(value: float, digits: int = 2) -> float:
    return round(value, digits)
