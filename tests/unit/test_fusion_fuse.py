"""The fusion rule keeps its promises: bounds, widths, and what a panel of people would say."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.accumulate import UNIT, Accumulator
from services.fusion.fuse import Fused, fuse, fuse_rows
from services.fusion.parameters import DEFAULT_PARAMETERS, FusionParameters
from services.fusion.pool import rows_of
from shared.emotions import EMOTIONS, MOOD_VECTOR, Emotion, Modality, mood_of
from tests.evidence import (
    certain,
    distributions,
    evidence,
    leaning,
    modality_sets,
    qualities,
    seconds,
    sums_of,
)

timeless = settings(deadline=None)

PRIOR_MOOD = float(mood_of(DEFAULT_PARAMETERS.prior))


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
@given(distributions, distributions, st.sampled_from(Modality), seconds, qualities)
def test_a_mood_that_changes_is_as_sure_as_its_seconds_are(
    before: list[float], after: list[float], modality: Modality, amount_s: float, quality: float
) -> None:
    first, second = (sums_of(each, amount_s, quality) for each in (before, after))
    of_first, of_second, of_both = (
        certain({modality: sums}).spread ** 2 for sums in (first + first, second + second, first + second)
    )
    assert of_both == pytest.approx((of_first + of_second) / 2, rel=1e-4)


@timeless
@given(distributions, seconds, qualities)
def test_a_further_modality_that_agrees_narrows(distribution: list[float], amount_s: float, quality: float) -> None:
    each = sums_of(distribution, amount_s, quality)
    one = {Modality.FACE: each}
    two = one | {Modality.TEXT: each}
    three = two | {Modality.AUDIO: each}
    assert certain(three).spread < certain(two).spread < certain(one).spread


@timeless
@given(seconds, qualities, st.floats(0.55, 0.95), st.floats(0.55, 0.95))
def test_disagreement_widens(amount_s: float, quality: float, smile: float, words: float) -> None:
    def mixed(joy: float) -> list[float]:
        return [joy if e is Emotion.JOY else 1 - joy if e is Emotion.SADNESS else 0.0 for e in EMOTIONS]

    # Words as sure of themselves as before, of the opposite.
    face = sums_of(mixed(smile), amount_s, quality)
    agreeing = certain({Modality.FACE: face, Modality.TEXT: sums_of(mixed(words), amount_s, quality)})
    opposed = certain({Modality.FACE: face, Modality.TEXT: sums_of(mixed(1 - words), amount_s, quality)})
    assert agreeing.spread < opposed.spread


@pytest.mark.parametrize("first", [Modality.FACE, Modality.AUDIO])
def test_the_further_apart_the_wider(first: Modality) -> None:
    def at(mood: float) -> Accumulator:
        rates = (1.0, 0.8, 0.8 * mood, 0.8 * mood**2, *[-1.6] * 7, *[0.8 / 7] * 7)
        return Accumulator.of([round(5 * rate / UNIT) for rate in rates])

    spreads = [certain({first: at(3.0), Modality.TEXT: at(mood)}).spread for mood in (3.0, 3.5, 4.0, 4.5)]
    assert spreads == sorted(set(spreads))


@timeless
@given(evidence, st.sampled_from(Modality), st.sampled_from(EMOTIONS), seconds)
def test_one_extreme_modality_moves_the_mood_no_further_than_its_reliability(
    sums: dict[Modality, Accumulator], extreme: Modality, emotion: Emotion, amount_s: float
) -> None:
    others = {modality: each for modality, each in sums.items() if modality is not extreme}
    if not others:
        return
    shout = sums_of([1.0 if each is emotion else 0.0 for each in EMOTIONS], amount_s, 1.0)
    for reliability in (1e-2, 1e-4, 1e-6):
        weak = weakened(extreme, reliability)
        without, with_it = fuse(others, weak), fuse(others | {extreme: shout}, weak)
        assert without is not None
        assert with_it is not None
        # Of its part, it may move the mood over the whole scale; its part is bounded by its reliability.
        assert abs(with_it.mood - without.mood) <= 2000 * reliability


def weakened(modality: Modality, reliability: float) -> FusionParameters:
    """The rule of service with one modality believed next to nothing."""
    before = DEFAULT_PARAMETERS.modalities[modality]
    weak = replace(
        before,
        reliability=before.reliability * reliability,
        exponent=before.exponent * reliability,
        neutral_bias=before.neutral_bias * reliability,
    )
    return replace(DEFAULT_PARAMETERS, modalities={**DEFAULT_PARAMETERS.modalities, modality: weak})


@timeless
@given(evidence)
def test_disagreement_never_goes_beyond_the_most_extreme_modality(sums: dict[Modality, Accumulator]) -> None:
    fused = certain(sums)
    moods = [view.mood for view in fused.views.values()]
    low, high = min(PRIOR_MOOD, *moods), max(PRIOR_MOOD, *moods)
    gain = 0.0 if spread_between(fused) >= DEFAULT_PARAMETERS.agreement_sd else DEFAULT_PARAMETERS.agreement_gain
    assert low - gain - 1e-6 <= fused.mood <= high + gain + 1e-6


@timeless
@given(distributions, st.sampled_from(Modality), seconds, qualities)
def test_one_modality_alone_is_never_sharpened(
    distribution: list[float], modality: Modality, amount_s: float, quality: float
) -> None:
    fused = certain({modality: sums_of(distribution, amount_s, quality)})
    mood = fused.views[modality].mood
    assert min(PRIOR_MOOD, mood) - 1e-6 <= fused.mood <= max(PRIOR_MOOD, mood) + 1e-6


def spread_between(fused: Fused) -> float:
    shares, moods = zip(*((view.share, view.mood) for view in fused.views.values()), strict=True)
    centre = float(np.dot(shares, moods))
    return math.sqrt(sum(share * (mood - centre) ** 2 for share, mood in zip(shares, moods, strict=True)))


def test_a_smile_over_words_of_all_kinds_stays_below_the_smile() -> None:
    """Words that go from joy to sadness say little together; the face must not be made more of for it."""
    smile = sums_of(leaning(Emotion.JOY, 0.97), 15.0, 0.8)
    words = sum(
        (sums_of(leaning(emotion, 0.9), 3.0, 0.9) for emotion in (Emotion.JOY, Emotion.NEUTRAL, Emotion.SADNESS)),
        start=Accumulator(),
    )
    fused = certain({Modality.TEXT: words, Modality.FACE: smile})
    assert fused.views[Modality.TEXT].mood + 0.5 < fused.mood < fused.views[Modality.FACE].mood - 0.1


@timeless
@given(evidence, st.integers(1, 4))
def test_many_moments_at_once_are_fused_as_one_by_one(sums: dict[Modality, Accumulator], count: int) -> None:
    alone = certain(sums)
    for each in fuse_rows(rows_of([sums] * count)):
        assert each is not None
        assert (each.mood, each.low, each.high) == pytest.approx((alone.mood, alone.low, alone.high))


def test_too_little_evidence_gives_no_number() -> None:
    joy = [0.94 if emotion is Emotion.JOY else 0.01 for emotion in EMOTIONS]
    assert fuse({}) is None
    assert fuse({Modality.FACE: sums_of(joy, 0.2, 0.9)}) is None
    assert fuse({Modality.TEXT: sums_of(joy, 10.0, 0.0)}) is None
    assert fuse({Modality.FACE: sums_of(joy, 1.0, 0.9)}) is not None


def test_a_sentence_in_an_hour_of_pictures_is_a_sentence() -> None:
    calm, anger = leaning(Emotion.NEUTRAL, 0.9), sums_of(leaning(Emotion.ANGER, 0.9), 3.0, 0.9)
    said = {Modality.TEXT: anger, Modality.AUDIO: anger}
    moods = [
        certain(said | {Modality.FACE: sums_of(calm, amount_s, 0.9)}).mood for amount_s in (3.0, 60.0, 600.0, 3600.0)
    ]
    unspoken = certain({Modality.FACE: sums_of(calm, 3600.0, 0.9)})
    assert moods == sorted(moods)
    assert moods[0] < 2.5
    assert moods[-1] == pytest.approx(unspoken.mood, abs=0.05)


def test_who_speaks_a_third_of_the_time_is_heard_as_before() -> None:
    smile, sad = sums_of(leaning(Emotion.JOY, 0.9), 600.0, 0.9), leaning(Emotion.SADNESS, 0.9)
    shares = [
        certain({Modality.FACE: smile, Modality.TEXT: sums_of(sad, amount_s, 0.9)}).views[Modality.TEXT].share
        for amount_s in (200.0, 600.0)
    ]
    assert shares[0] > 0.75 * shares[1]


def test_ten_seconds_are_surer_than_one() -> None:
    joy = [0.94 if emotion is Emotion.JOY else 0.01 for emotion in EMOTIONS]
    short, long = (certain({Modality.FACE: sums_of(joy, amount_s, 0.8)}) for amount_s in (0.6, 10.0))
    assert long.spread < short.spread
    assert long.mood > short.mood


@pytest.mark.parametrize(
    ("words", "voice", "face", "low", "high"),
    [
        pytest.param(Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.JOY, 3.4, 4.4, id="only the face is happy"),
        pytest.param(Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.NEUTRAL, 2.8, 3.2, id="an ordinary day"),
        pytest.param(Emotion.SADNESS, Emotion.SADNESS, Emotion.SADNESS, 1.25, 2.0, id="sad in every way"),
        pytest.param(Emotion.JOY, Emotion.JOY, Emotion.JOY, 4.1, 4.75, id="happy in every way"),
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
