"""The fusion rule keeps its promises: bounds, widths, and what a panel of people would say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.accumulate import SMOOTHING, UNIT, Accumulator, log_evidence
from services.fusion.fuse import Fused, fuse
from services.fusion.parameters import DEFAULT_PARAMETERS
from shared.emotions import EMOTIONS, MOOD_VECTOR, Emotion, Modality, mood_of

timeless = settings(deadline=None)


def normalised(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


distributions = st.lists(st.floats(0.001, 1.0), min_size=7, max_size=7).map(normalised)
seconds = st.floats(2, 600)
qualities = st.floats(0.3, 1)
modality_sets = st.lists(st.sampled_from(Modality), min_size=1, max_size=3, unique=True)


def sums_of(distribution: list[float], amount_s: float, quality: float) -> Accumulator:
    mood, mass = float(mood_of(distribution)), amount_s * quality
    rates = [amount_s, mass, mass * mood, mass * mood**2, *(mass * log for log in log_evidence(distribution, mood))]
    return Accumulator.of([round(rate / UNIT) for rate in rates])


def certain(sums: dict[Modality, Accumulator]) -> Fused:
    fused = fuse(sums)
    assert fused is not None
    return fused


accumulators = st.builds(sums_of, distributions, seconds, qualities)
evidence = st.dictionaries(st.sampled_from(Modality), accumulators, min_size=1)


@timeless
@given(evidence)
def test_the_mood_is_within_its_interval_and_the_scale(sums: dict[Modality, Accumulator]) -> None:
    fused = certain(sums)
    assert 1 <= fused.low <= fused.mood <= fused.high <= 5
    assert fused.distribution.sum() == pytest.approx(1)
    assert fused.mood == pytest.approx(float(fused.distribution @ MOOD_VECTOR))
    assert sum(view.share for view in fused.views.values()) == pytest.approx(1)


@timeless
@given(evidence, st.sampled_from(Modality))
def test_a_modality_without_evidence_is_as_if_it_were_not_there(
    sums: dict[Modality, Accumulator], absent: Modality
) -> None:
    present = {modality: each for modality, each in sums.items() if modality is not absent}
    if present:
        with_nothing, without = certain(present | {absent: Accumulator()}), certain(present)
        assert (with_nothing.mood, with_nothing.low, with_nothing.high) == (without.mood, without.low, without.high)


@timeless
@given(distributions, modality_sets, seconds, qualities, seconds, qualities)
def test_more_of_the_same_never_widens(
    distribution: list[float],
    modalities: list[Modality],
    before_s: float,
    quality_before: float,
    more_s: float,
    quality_more: float,
) -> None:
    before = {modality: sums_of(distribution, before_s, quality_before) for modality in modalities}
    more = before | {modalities[0]: before[modalities[0]] + sums_of(distribution, more_s, quality_more)}
    assert certain(more).spread <= certain(before).spread + 1e-6


@timeless
@given(distributions, seconds, qualities)
def test_a_further_modality_that_agrees_narrows(distribution: list[float], amount_s: float, quality: float) -> None:
    each = sums_of(distribution, amount_s, quality)
    one = {Modality.FACE: each}
    two = one | {Modality.TEXT: each}
    three = two | {Modality.AUDIO: each}
    assert certain(three).spread < certain(two).spread < certain(one).spread


@timeless
@given(seconds, qualities, st.floats(0.1, 0.9))
def test_disagreement_widens_and_the_more_the_wider(amount_s: float, quality: float, tint: float) -> None:
    def mixed(joy: float) -> list[float]:
        return [joy if e is Emotion.JOY else 1 - joy if e is Emotion.SADNESS else 0.0 for e in EMOTIONS]

    face = sums_of(mixed(0.95), amount_s, quality)
    agreeing = certain({Modality.FACE: face, Modality.TEXT: sums_of(mixed(0.95), amount_s, quality)})
    differing = certain({Modality.FACE: face, Modality.TEXT: sums_of(mixed(tint), amount_s, quality)})
    opposed = certain({Modality.FACE: face, Modality.TEXT: sums_of(mixed(0.05), amount_s, quality)})
    assert agreeing.spread < differing.spread < opposed.spread


@timeless
@given(evidence, st.sampled_from(Modality), st.sampled_from(EMOTIONS), seconds)
def test_one_extreme_modality_moves_the_odds_no_further_than_its_reliability(
    sums: dict[Modality, Accumulator], extreme: Modality, emotion: Emotion, amount_s: float
) -> None:
    others = {modality: each for modality, each in sums.items() if modality is not extreme}
    if not others:
        return
    shout = sums_of([1.0 if each is emotion else 0.0 for each in EMOTIONS], amount_s, 1.0)
    without, with_it = certain(others), certain(others | {extreme: shout})
    moved = np.log(with_it.distribution / without.distribution)
    bound = DEFAULT_PARAMETERS.modalities[extreme].reliability * math.log((1 + SMOOTHING) / SMOOTHING)
    assert np.ptp(moved) <= bound + 1e-6


def test_too_little_evidence_gives_no_number() -> None:
    joy = [0.94 if emotion is Emotion.JOY else 0.01 for emotion in EMOTIONS]
    assert fuse({}) is None
    assert fuse({Modality.FACE: sums_of(joy, 0.2, 0.9)}) is None
    assert fuse({Modality.TEXT: sums_of(joy, 10.0, 0.0)}) is None
    assert fuse({Modality.FACE: sums_of(joy, 1.0, 0.9)}) is not None


def test_ten_seconds_are_surer_than_one() -> None:
    joy = [0.94 if emotion is Emotion.JOY else 0.01 for emotion in EMOTIONS]
    short, long = (certain({Modality.FACE: sums_of(joy, amount_s, 0.8)}) for amount_s in (0.6, 10.0))
    assert long.spread < short.spread
    assert long.mood > short.mood


def leaning(emotion: Emotion, p: float) -> list[float]:
    """What a model that leans to an emotion says: some neutral, and a little of everything."""
    rest = (1 - p) / 8
    base = dict.fromkeys(EMOTIONS, rest) | {Emotion.NEUTRAL: 2 * rest}
    return normalised([p if each is emotion else base[each] for each in EMOTIONS])


@pytest.mark.parametrize(
    ("words", "voice", "face", "low", "high"),
    [
        pytest.param(Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.JOY, 3.4, 4.4, id="only the face is happy"),
        pytest.param(Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.NEUTRAL, 2.8, 3.2, id="an ordinary day"),
        pytest.param(Emotion.SADNESS, Emotion.SADNESS, Emotion.SADNESS, 1.25, 2.0, id="sad in every way"),
        pytest.param(Emotion.JOY, Emotion.JOY, Emotion.JOY, 4.3, 4.75, id="happy in every way"),
    ],
)
def test_clear_cases_are_judged_as_a_panel_would(
    words: Emotion, voice: Emotion, face: Emotion, low: float, high: float
) -> None:
    fused = certain(
        {
            Modality.TEXT: sums_of(leaning(words, 0.7), 3.0, 0.8),
            Modality.AUDIO: sums_of(leaning(voice, 0.6), 3.0, 0.8),
            Modality.FACE: sums_of(leaning(face, 0.8), 3.0, 0.7),
        }
    )
    assert low <= fused.mood <= high


def test_the_widest_disagreement_is_named() -> None:
    fused = certain(
        {
            Modality.TEXT: sums_of(leaning(Emotion.SADNESS, 0.8), 3.0, 0.8),
            Modality.AUDIO: sums_of(leaning(Emotion.NEUTRAL, 0.8), 3.0, 0.8),
            Modality.FACE: sums_of(leaning(Emotion.JOY, 0.8), 3.0, 0.8),
        }
    )
    apart = fused.disagreement()
    assert apart is not None
    assert apart[:2] == (Modality.TEXT, Modality.FACE)
    assert apart[2] > 2
