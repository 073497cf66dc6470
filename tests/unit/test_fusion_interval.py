"""The interval says how sure the answer is: it narrows with agreement, leans, and jumps at nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.accumulate import Accumulator
from services.fusion.parameters import DEFAULT_PARAMETERS
from services.fusion.pool import Evidence, pool, rows_of
from shared.emotions import MOOD_MAX, MOOD_MIN, MOOD_VECTOR, Emotion, Modality
from tests.evidence import certain, distributions, evidence, leaning, qualities, seconds, sums_of

timeless = settings(deadline=None)


@timeless
@given(distributions, st.permutations(list(Modality)), seconds, qualities)
def test_agreement_narrows_the_calibrated_interval_too(
    distribution: list[float], order: list[Modality], amount_s: float, quality: float
) -> None:
    each = sums_of(distribution, amount_s, quality)
    moments = [dict.fromkeys(order[:count], each) for count in (1, 2, 3)]
    one, two, three = pool(Evidence.of(rows_of(moments)), DEFAULT_PARAMETERS).half_widths
    assert three <= two + 1e-9
    assert two <= one + 1e-9


@timeless
@given(distributions, st.sampled_from(Modality), st.sampled_from(Modality), seconds, qualities)
def test_next_to_no_evidence_changes_next_to_nothing(
    distribution: list[float], spoken: Modality, other: Modality, amount_s: float, quality: float
) -> None:
    before = {spoken: sums_of(distribution, amount_s, quality)}
    glimpse = sums_of(leaning(Emotion.JOY, 0.9), 0.2, 1e-4)
    alone, beside = certain(before), certain({other: glimpse} | before)
    assert (beside.mood, beside.low, beside.high) == pytest.approx((alone.mood, alone.low, alone.high), abs=0.02)


@timeless
@given(evidence)
def test_the_interval_leans_to_where_the_distribution_reaches_further(sums: dict[Modality, Accumulator]) -> None:
    fused = certain(sums)
    away = MOOD_VECTOR - fused.mood
    above, below = (float(fused.distribution @ np.maximum(0.0, side) ** 2) for side in (away, -away))
    assert MOOD_MIN <= fused.low <= fused.mood <= fused.high <= MOOD_MAX
    if fused.low > MOOD_MIN and fused.high < MOOD_MAX and abs(above - below) > 1e-6:
        assert (fused.high - fused.mood > fused.mood - fused.low) == (above > below)


def test_a_smile_may_be_less_than_it_looks_and_hardly_more() -> None:
    smile = certain({Modality.FACE: sums_of(leaning(Emotion.JOY, 0.95), 10.0, 0.9)})
    assert smile.mood - smile.low > 1.5 * (smile.high - smile.mood)
