"""Evidence that tests make up: distributions, sums of them, and strategies that generate both."""

from typing import Final

from hypothesis import strategies as st

from services.fusion.accumulate import UNIT, Accumulator, evidence_rates
from services.fusion.fuse import Fused, fuse
from shared.emotions import EMOTIONS, Emotion, Modality, mood_of


def normalised(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def leaning(emotion: Emotion, p: float) -> list[float]:
    """What a model that leans to an emotion says: some neutral, and a little of everything."""
    rest = (1 - p) / 8
    base = dict.fromkeys(EMOTIONS, rest) | {Emotion.NEUTRAL: 2 * rest}
    return normalised([p if each is emotion else base[each] for each in EMOTIONS])


def sums_of(distribution: list[float], amount_s: float, quality: float) -> Accumulator:
    rates = evidence_rates(distribution, float(mood_of(distribution)), quality)
    return Accumulator.of([round(amount_s * rate / UNIT) for rate in rates])


def certain(sums: dict[Modality, Accumulator]) -> Fused:
    fused = fuse(sums)
    assert fused is not None
    return fused


distributions: Final = st.lists(st.floats(0.001, 1.0), min_size=7, max_size=7).map(normalised)
seconds: Final = st.floats(2, 600)
qualities: Final = st.floats(0.3, 1)
modality_sets: Final = st.lists(st.sampled_from(Modality), min_size=1, max_size=3, unique=True)
accumulators: Final = st.builds(sums_of, distributions, seconds, qualities)
evidence: Final = st.dictionaries(st.sampled_from(Modality), accumulators, min_size=1)
