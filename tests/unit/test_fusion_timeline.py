"""Seconds are smoothed as the answer says, name what they stand on, and are told as a course."""

import numpy as np
import pytest

from services.fusion.accumulate import Accumulator, contribution_of
from services.fusion.baseline import relative_mood
from services.fusion.course import Course, Disagreement, clock, course_of
from services.fusion.fuse import fuse
from services.fusion.pool import rows_of
from services.fusion.state import TimelineBin
from services.fusion.timeline import SMOOTHING, UNSMOOTHED, fuse_seconds, references_of
from shared.emotions import EMOTIONS, Emotion, Modality, as_mapping, mood_of
from shared.messages.details import empty_details
from shared.messages.score import ModalityScore, ModelRef, Status


def leaning(emotion: Emotion, p: float = 0.85) -> list[float]:
    return [p if each is emotion else (1 - p) / 6 for each in EMOTIONS]


def score(modality: Modality, emotion: Emotion, start_s: float, end_s: float, seq: int) -> ModalityScore:
    distribution = leaning(emotion)
    return ModalityScore(
        session_id="session-1",
        modality=modality,
        seq=seq,
        start_s=start_s,
        end_s=end_s,
        status=Status.SCORED,
        mood=float(mood_of(distribution)),
        distribution=as_mapping(distribution),
        quality=0.8,
        details=empty_details(modality),
        model=ModelRef(name=f"mien-{modality}", version="1"),
    )


def bins_of(scores: list[ModalityScore]) -> list[TimelineBin]:
    bins: dict[int, dict[Modality, Accumulator]] = {}
    for each in scores:
        for index, sums in contribution_of(each).bins.items():
            there = bins.setdefault(index, {})
            there[each.modality] = there.get(each.modality, Accumulator()) + sums
    return [TimelineBin(index=index, sums=bins[index]) for index in sorted(bins)]


def told(scores: list[ModalityScore], duration_s: float | None = None, usual: float | None = None) -> Course:
    totals: dict[Modality, Accumulator] = {}
    for each in scores:
        totals[each.modality] = totals.get(each.modality, Accumulator()) + contribution_of(each).total
    fused = fuse(totals)
    assert fused is not None
    course = course_of(fused, fuse_seconds(bins_of(scores)), duration_s, usual)
    assert course is not None
    return course


def minute(emotions: dict[range, Emotion], modality: Modality) -> list[ModalityScore]:
    return [
        score(modality, emotion, float(second), second + 1.0, seq=second)
        for seconds, emotion in emotions.items()
        for second in seconds
    ]


def test_a_smoothed_second_is_the_fusion_of_weighted_sums() -> None:
    emotions = [Emotion.JOY, Emotion.SADNESS, Emotion.NEUTRAL, Emotion.JOY, Emotion.ANGER]
    scores = [score(Modality.AUDIO, emotion, float(i), i + 1.0, i) for i, emotion in enumerate(emotions)]
    middle = fuse_seconds(bins_of(scores))[2]
    rows = rows_of([each.sums for each in bins_of(scores)])
    weighted = sum(weight * row for weight, row in zip(SMOOTHING.weights, rows, strict=True))
    distributions = np.asarray(weighted)[1, 11:18]
    said = middle.smoothed.views[Modality.AUDIO].distribution
    assert said == pytest.approx(distributions / distributions.sum())
    assert middle.alone.views[Modality.AUDIO].distribution == pytest.approx(leaning(Emotion.NEUTRAL), abs=1e-5)


def test_without_smoothing_every_second_stands_alone() -> None:
    scores = minute({range(4): Emotion.JOY, range(4, 8): Emotion.SADNESS}, Modality.FACE)
    for second in fuse_seconds(bins_of(scores), smoothing=UNSMOOTHED):
        assert second.smoothed.mood == pytest.approx(second.alone.mood)


def test_smoothing_fills_no_gap() -> None:
    scores = minute({range(3): Emotion.JOY, range(5, 8): Emotion.JOY}, Modality.TEXT)
    assert [second.index for second in fuse_seconds(bins_of(scores))] == [0, 1, 2, 5, 6, 7]
    assert fuse_seconds([]) == []


def test_every_second_names_the_scores_that_it_stands_on() -> None:
    scores = [
        score(Modality.TEXT, Emotion.NEUTRAL, 0.5, 3.5, 0),
        *(score(Modality.FACE, Emotion.JOY, 0.2 * i, 0.2 * i, i) for i in range(30)),
    ]
    seconds = fuse_seconds(bins_of(scores))
    references = references_of(seconds, scores)
    assert set(references) == {second.index for second in seconds}
    for second in seconds:
        named = references[second.index]
        assert sum(each.weight for each in named) == pytest.approx(1, abs=2e-3)
        near = {each.seq for each in named if each.modality is Modality.FACE}
        around = range(second.index - SMOOTHING.reach, second.index + SMOOTHING.reach + 1)
        assert near == {each.seq for each in scores if each.modality is Modality.FACE and int(each.start_s) in around}
    text = [each for each in references[2] if each.modality is Modality.TEXT]
    assert [(each.seq, each.model.name) for each in text] == [(0, "mien-text")]
    assert text[0].weight == pytest.approx(seconds[2].smoothed.views[Modality.TEXT].share, abs=1e-3)


def test_the_mix_over_time_is_said() -> None:
    scores = minute({range(50): Emotion.NEUTRAL, range(50, 62): Emotion.SADNESS}, Modality.TEXT)
    course = told(scores)
    assert course.label.endswith(", sad at the end")
    assert course.end.emotion is Emotion.SADNESS
    assert course.end.mood < 2.5 < course.mean


def test_a_few_strong_seconds_are_not_averaged_away() -> None:
    scores = minute(
        {range(30): Emotion.NEUTRAL, range(30, 34): Emotion.JOY, range(34, 70): Emotion.NEUTRAL}, Modality.FACE
    )
    course = told(scores)
    assert 30 <= course.peak.start_s < 34
    assert course.peak.mood > 4
    assert course.mean < 3.5
    assert "happy at 0:3" in course.label


def test_when_two_modalities_disagree_is_said() -> None:
    words = minute(
        {range(70): Emotion.NEUTRAL, range(70, 85): Emotion.JOY, range(85, 120): Emotion.NEUTRAL}, Modality.TEXT
    )
    voice = minute(
        {range(70): Emotion.NEUTRAL, range(70, 85): Emotion.SADNESS, range(85, 120): Emotion.NEUTRAL}, Modality.AUDIO
    )
    course = told([*words, *voice])
    assert "words and voice disagree from 1:10 to 1:25" in course.label
    [stretch] = course.disagreements
    assert stretch == Disagreement(start_s=70, end_s=85, between=(Modality.TEXT, Modality.AUDIO))


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([(29.6, 30.0)], id="one word against a face"),
        pytest.param([(58.0, 59.0)], id="a word just before the face is seen"),
        pytest.param([(29.6, 30.0), (36.0, 36.4)], id="two words far apart"),
    ],
)
def test_what_is_shorter_than_three_seconds_is_no_disagreement(words: list[tuple[float, float]]) -> None:
    said = [score(Modality.TEXT, Emotion.JOY, *span, seq) for seq, span in enumerate(words)]
    seen = range(60, 80) if words[0][0] > 50 else range(20, 50)
    assert told([*said, *minute({seen: Emotion.SADNESS}, Modality.FACE)]).disagreements == ()


def test_one_picture_is_no_disagreement() -> None:
    face = [score(Modality.FACE, Emotion.JOY, 10.0, 10.0, 0)]
    assert told([*minute({range(20): Emotion.SADNESS}, Modality.TEXT), *face]).disagreements == ()


def test_an_emotion_that_the_mix_names_is_told_once() -> None:
    emotions = {range(10 * n, 10 * n + 10): (Emotion.SADNESS, Emotion.JOY)[n % 2] for n in range(7)}
    assert told(minute(emotions, Modality.FACE)).label.count("happy") == 1


def test_what_stands_out_is_what_is_far_from_the_usual() -> None:
    seen = {range(30): Emotion.NEUTRAL, range(30, 40): Emotion.JOY, range(40, 70): Emotion.NEUTRAL}
    scores = minute({**seen, range(70, 80): Emotion.SADNESS, range(80, 120): Emotion.NEUTRAL}, Modality.FACE)
    absolute, relative = told(scores), told(scores, usual=3.5)
    seconds = fuse_seconds(bins_of(scores))
    shown = {second.index: relative_mood(second.smoothed.mood, 3.5) for second in seconds}
    furthest = max(shown, key=lambda index: abs(shown[index] - relative.mean))
    assert relative.peak.start_s == furthest
    assert relative.peak.mood == round(shown[furthest], 2)
    assert (relative.relative, relative.usual, absolute.usual) == (True, 3.5, None)
    masses = [second.mass for second in seconds]
    assert relative.mean == pytest.approx(np.average(list(shown.values()), weights=masses), abs=0.006)


def test_the_end_is_told_once() -> None:
    label = told(minute({range(100): Emotion.NEUTRAL, range(100, 120): Emotion.SADNESS}, Modality.FACE)).label
    assert label.count("sad") == 1


def test_the_end_of_the_evidence_is_not_the_end_of_the_session() -> None:
    scores = minute({range(50): Emotion.NEUTRAL, range(50, 60): Emotion.SADNESS}, Modality.FACE)
    assert told(scores, duration_s=65).label.endswith(", sad at the end")
    assert told(scores, duration_s=3600).label.endswith(", sad when last judged, at 1:00")


def test_disagreement_all_the_time_is_said_without_times() -> None:
    words, voice = minute({range(30): Emotion.JOY}, Modality.TEXT), minute({range(30): Emotion.SADNESS}, Modality.AUDIO)
    assert told([*words, *voice]).label.endswith("words and voice disagree")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (9.6, "0:10"), (70, "1:10"), (3599.6, "1:00:00"), (43210, "12:00:10")]
)
def test_a_time_as_minutes_and_seconds_and_hours(seconds: float, words: str) -> None:
    assert clock(seconds) == words
