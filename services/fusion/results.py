"""The result of a session, built from what the store knows. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from services.fusion.accumulate import BIN_S, Accumulator
from services.fusion.baseline import relative_mood, relative_words
from services.fusion.course import Course, course_of
from services.fusion.fuse import Fused, ModalityView, fuse
from services.fusion.labels import disagreement_of, label_of, reasons_of
from services.fusion.parameters import DEFAULT_PARAMETERS, FusionParameters
from services.fusion.schema import (
    INSUFFICIENT_EVIDENCE,
    Accounting,
    ModalityResult,
    MoodResult,
    SessionResult,
    SessionSummary,
    TimelineModality,
    TimelinePoint,
    TranscriptLine,
)
from services.fusion.speaker import speaker_of
from services.fusion.state import Counts, Outcome, SessionState, TimelineBin
from services.fusion.timeline import (
    SMOOTHING,
    UNSMOOTHED,
    EvidenceRef,
    Second,
    Smoothing,
    fuse_seconds,
    references_of,
    thinned,
)
from shared.emotions import Modality, as_mapping
from shared.messages.details import TextDetails
from shared.messages.score import Distribution, ModalityScore, ModelRef

__all__ = [
    "SessionResult",
    "SessionSummary",
    "TimelinePoint",
    "TranscriptLine",
    "build_course",
    "build_result",
    "build_summary",
    "build_timeline",
    "build_transcript",
    "smoothing_at",
]


def build_result(
    state: SessionState,
    timeline: Sequence[TimelineBin],
    evidence: Sequence[ModalityScore],
    parameters: FusionParameters = DEFAULT_PARAMETERS,
    *,
    points: tuple[TimelinePoint, ...] | None = None,
) -> SessionResult:
    """Return a session's whole result.

    Args:
        state: Its sums and counts.
        timeline: Its seconds.
        evidence: Its scores; those of text become the transcript, and every second names those that it stands on.
        parameters: The numbers of the fusion rule.
        points: The points of its timeline, where they are not to be built here.
    """
    if points is None:
        points = build_timeline(state, timeline, parameters, evidence=evidence)
    return SessionResult(
        **dict(build_summary(state, parameters)),
        transcript=build_transcript(evidence),
        timeline=points,
        smoothing=SMOOTHING,
        course=build_course(state, timeline, parameters),
    )


def build_summary(state: SessionState, parameters: FusionParameters = DEFAULT_PARAMETERS) -> SessionSummary:
    """Return a session's result without transcript and timeline, at a cost that does not grow with its length."""
    fused = fuse(_agreed(state, state.sums), parameters)
    views = fused.views if fused else {}
    return SessionSummary(
        session_id=state.session_id,
        status=state.phase,
        mood=_mood(fused, state.started.baseline) if fused else None,
        reason=None if fused else INSUFFICIENT_EVIDENCE,
        distribution=_distribution(fused) if fused else None,
        modalities={m: _modality(state, m, views.get(m)) for m in state.modalities},
        speaker=speaker_of(state.speaker),
        accounting={m: _accounting(state.published(m), state.counts_of(m)) for m in state.modalities},
        models={m: _models(state.counts_of(m).models) for m in state.modalities if state.counts_of(m).models},
    )


def build_timeline(
    state: SessionState,
    bins: Sequence[TimelineBin],
    parameters: FusionParameters = DEFAULT_PARAMETERS,
    *,
    evidence: Sequence[ModalityScore] = (),
    length: int = 1,
) -> tuple[TimelinePoint, ...]:
    """Return the seconds that have enough evidence of their own, each smoothed over its neighbours.

    Longer points are the sum of their seconds, and stand for themselves.

    Args:
        state: The session's sums and counts.
        bins: Its seconds; the first and last of a span are smoothed without what lies outside.
        parameters: The numbers of the fusion rule.
        evidence: Its scores, where every second is to name those that it stands on.
        length: How many seconds a point is.
    """
    smoothing = smoothing_at(length)
    seconds = _seconds(state, thinned(bins, length), parameters, smoothing)
    references = references_of(seconds, evidence, smoothing, length) if evidence else {}
    usual = state.started.baseline
    return tuple(_point(second, length, references.get(second.index, ()), usual) for second in seconds)


def smoothing_at(length: int) -> Smoothing:
    """Return how points of so many seconds take in their neighbours."""
    return SMOOTHING if length == 1 else UNSMOOTHED


def build_course(
    state: SessionState, bins: Sequence[TimelineBin], parameters: FusionParameters = DEFAULT_PARAMETERS
) -> Course | None:
    """Return how a session went, or None where it has no mood; its moods are relative where the session's is."""
    fused = fuse(_agreed(state, state.sums), parameters)
    if fused is None:
        return None
    usual = state.started.baseline
    course = course_of(fused, _seconds(state, bins, parameters), state.duration_s, usual)
    if course is None or usual is None:
        return course
    return course.model_copy(update={"label": _compared(_relative(fused.mood, usual), course.label)})


def _seconds(
    state: SessionState, bins: Sequence[TimelineBin], parameters: FusionParameters, smoothing: Smoothing = SMOOTHING
) -> list[Second]:
    agreed = [TimelineBin(index=each.index, sums=_agreed(state, each.sums)) for each in bins]
    return fuse_seconds(agreed, parameters, smoothing)


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


def _mood(fused: Fused, usual: float | None) -> MoodResult:
    score = _relative(fused.mood, usual)
    return MoodResult(
        score=score,
        low=_relative(fused.low, usual),
        high=_relative(fused.high, usual),
        label=label_of(fused) if usual is None else _compared(score, label_of(fused)),
        relative=usual is not None,
        usual=usual,
        absolute=None if usual is None else _round(fused.mood),
        disagreement=disagreement_of(fused),
    )


def _compared(relative: float, label: str) -> str:
    return f"{relative_words(relative)}: {label}"


def _relative(mood: float, usual: float | None) -> float:
    return _round(mood if usual is None else relative_mood(mood, usual))


def _distribution(of: Fused | ModalityView) -> Distribution:
    return {emotion: _round(p, 4) for emotion, p in as_mapping(of.distribution).items()}


def _modality(state: SessionState, modality: Modality, view: ModalityView | None) -> ModalityResult:
    counts = state.counts_of(modality)
    return ModalityResult(
        mood=_round(view.mood) if view else None,
        weight=_round(view.share, 3) if view else 0.0,
        distribution=_distribution(view) if view else None,
        scored=counts.of(Outcome.SCORED),
        abstained=counts.of(Outcome.ABSTAINED),
        reasons=tuple(reasons_of(modality, counts, view, state.duration_s, published=state.published(modality))),
    )


def _accounting(published: int, counts: Counts) -> Accounting:
    return Accounting(published=published, **{outcome.value: counts.of(outcome) for outcome in Outcome})


def _models(models: Mapping[str, int]) -> tuple[ModelRef, ...]:
    ranked = sorted(models, key=lambda model: (-models[model], model))
    parts = (model.rpartition(" ") for model in ranked)
    return tuple(ModelRef(name=name, version=version) for name, _, version in parts)


def _point(second: Second, length: int, evidence: tuple[EvidenceRef, ...], usual: float | None) -> TimelinePoint:
    fused = second.smoothed
    return TimelinePoint(
        start_s=second.index * length * BIN_S,
        end_s=(second.index + 1) * length * BIN_S,
        mood=_relative(fused.mood, usual),
        low=_relative(fused.low, usual),
        high=_relative(fused.high, usual),
        unsmoothed=_relative(second.alone.mood, usual),
        absolute=None if usual is None else _round(fused.mood),
        modalities={
            modality: TimelineModality(
                mood=_round(view.mood),
                weight=_round(view.share, 3),
                relative=None if usual is None else _relative(view.mood, usual),
            )
            for modality, view in fused.views.items()
        },
        disagreement=disagreement_of(fused),
        evidence=evidence,
    )


def _round(value: float, digits: int = 2) -> float:
    return round(value, digits)
