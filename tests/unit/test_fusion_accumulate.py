"""Evidence adds exactly, in any order, at a constant cost."""

import math
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.accumulate import SMOOTHING, UNIT, Accumulator, contribution_of, log_evidence, tilted
from shared.emotions import EMOTIONS, MOOD_VECTOR, Modality, as_mapping, mood_of
from shared.messages.details import AudioDetails, FaceDetails, TextDetails
from shared.messages.score import ModalityScore, ModelRef, Status

DETAILS = {Modality.TEXT: TextDetails(), Modality.AUDIO: AudioDetails(), Modality.FACE: FaceDetails()}


timeless = settings(deadline=None)


def normalised(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


distributions = st.lists(st.floats(0.001, 1.0), min_size=7, max_size=7).map(normalised)


@st.composite
def scores(draw: st.DrawFn) -> ModalityScore:
    modality = draw(st.sampled_from(Modality))
    start_s = draw(st.floats(0, 100))
    distribution = draw(distributions)
    own_mood = draw(st.floats(1, 5)) if modality is Modality.TEXT else float(mood_of(distribution))
    return ModalityScore(
        session_id="session-1",
        modality=modality,
        seq=draw(st.integers(0, 9)),
        start_s=start_s,
        end_s=start_s if modality is Modality.FACE else start_s + draw(st.floats(0.1, 30)),
        status=Status.SCORED,
        mood=own_mood,
        distribution=as_mapping(distribution),
        confidence=0.5,
        quality=draw(st.floats(0, 1)),
        details=DETAILS[modality],
        model=ModelRef(name="model", version="1"),
    )


@timeless
@given(st.lists(scores(), max_size=8), st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_order_and_any_sharding_give_exactly_the_same_sums(
    evidence: list[ModalityScore], random: Random, shards: int
) -> None:
    straight = sum((contribution_of(score).total for score in evidence), start=Accumulator())
    shuffled = list(evidence)
    random.shuffle(shuffled)
    parts = [sum((contribution_of(s).total for s in shuffled[i::shards]), start=Accumulator()) for i in range(shards)]
    assert sum(parts, start=Accumulator()) == straight


@timeless
@given(scores())
def test_the_total_is_exactly_the_sum_of_the_bins_and_survives_packing(score: ModalityScore) -> None:
    contribution = contribution_of(score)
    assert sum(contribution.bins.values(), start=Accumulator()) == contribution.total
    assert Accumulator.unpack(contribution.total.pack()) == contribution.total


@timeless
@given(scores(), st.integers(0, 36_000))
def test_a_score_touches_few_bins_whenever_it_comes(score: ModalityScore, later_s: int) -> None:
    moved = score.model_copy(update={"start_s": score.start_s + later_s, "end_s": score.end_s + later_s})
    assert 1 <= len(contribution_of(moved).bins) <= 31


@timeless
@given(distributions, st.floats(1, 5))
def test_a_distribution_is_told_with_the_mood_of_the_score(distribution: list[float], mood: float) -> None:
    told = np.array(tilted(distribution, mood))
    assert told.sum() == pytest.approx(1, abs=1e-6)
    assert float(told @ MOOD_VECTOR) == pytest.approx(np.clip(mood, 1.3, 4.7), abs=1e-3)


@timeless
@given(distributions)
def test_a_distribution_of_the_same_mood_is_told_as_it_is(distribution: list[float]) -> None:
    assert tilted(distribution, float(mood_of(distribution))) == distribution


@timeless
@given(distributions)
def test_no_score_can_rule_an_emotion_out(distribution: list[float]) -> None:
    logs = np.array(log_evidence(distribution))
    assert logs.max() <= 0
    assert logs.min() >= math.log(SMOOTHING / (1 + 7 * SMOOTHING)) - 1e-9


def test_a_tilt_changes_the_odds_in_proportion_to_the_mood_values() -> None:
    distribution = normalised([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    floored = (np.array(distribution) + 1e-3) / (1 + 7e-3)
    slopes = np.log(np.array(tilted(distribution, 4.0)) / floored)
    by_value = sorted(zip(MOOD_VECTOR.tolist(), slopes.tolist(), strict=True))
    rates = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(by_value) if b[0] > a[0]]
    assert rates == pytest.approx([rates[0]] * len(rates))


def test_speech_is_spread_over_the_seconds_that_it_overlaps() -> None:
    score = make(Modality.AUDIO, start_s=1.75, end_s=4.25)
    amounts = {index: sums.amount * UNIT for index, sums in contribution_of(score).bins.items()}
    assert amounts == pytest.approx({1: 0.25, 2: 1.0, 3: 1.0, 4: 0.25})


def test_a_frame_counts_for_a_fifth_of_a_second() -> None:
    contribution = contribution_of(make(Modality.FACE, start_s=2.9, end_s=2.9))
    assert {index: sums.amount * UNIT for index, sums in contribution.bins.items()} == pytest.approx({2: 0.2})


@pytest.mark.parametrize("status", [Status.ABSTAINED, Status.FAILED])
def test_what_is_not_scored_adds_nothing(status: Status) -> None:
    silent = ModalityScore(
        session_id="session-1",
        modality=Modality.FACE,
        seq=0,
        start_s=0,
        end_s=0,
        status=status,
        reason="no_face",
        details=FaceDetails(),
        model=ModelRef(name="model", version="1"),
    )
    assert contribution_of(silent).bins == {}
    assert contribution_of(silent).total == Accumulator()


def make(modality: Modality, *, start_s: float, end_s: float) -> ModalityScore:
    distribution = [1 / 7] * 7
    return ModalityScore(
        session_id="session-1",
        modality=modality,
        seq=0,
        start_s=start_s,
        end_s=end_s,
        status=Status.SCORED,
        mood=float(mood_of(distribution)),
        distribution=dict.fromkeys(EMOTIONS, 1 / 7),
        quality=0.5,
        details=DETAILS[modality],
        model=ModelRef(name="model", version="1"),
    )
