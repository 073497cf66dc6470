"""Evidence as integers that are added: a score becomes sums per second and modality, whatever came before it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from shared.emotions import EMOTIONS, MOOD_VALUES, Modality
from shared.messages.score import ModalityScore, Status
from shared.messages.speech import MAX_SPEECH_SECONDS

UNIT: Final = 1e-6
"""What one integer step stands for: integers make sums exact, so that order and sharding cannot show."""

BIN_S: Final = 1.0
"""Length of a bin of the timeline, seconds."""

SMOOTHING: Final = 0.4
"""Added to every probability before its logarithm, so that no score can rule an emotion out: what one second says of
an emotion stays within ``log(SMOOTHING / (1 + 7 * SMOOTHING))`` and 0. ``services.fusion.training.fit`` found it on the
votes of people; it belongs to what is stored, so that sums of another smoothing must not be added to these."""

MOMENT_S: Final[dict[Modality, float]] = {Modality.TEXT: 3.0, Modality.AUDIO: 0.2, Modality.FACE: 0.2}
"""Seconds that evidence without a duration counts for: a frame one interval of a 5 Hz sampler, however fast frames
come; typed text the time that it takes to say a sentence."""

_FLOOR: Final = 1e-3
_SAME_MOOD: Final = 1e-3
_MOOD_SPAN: Final = (min(MOOD_VALUES.values()) + 0.05, max(MOOD_VALUES.values()) - 0.05)
_VALUES: Final[tuple[float, ...]] = tuple(MOOD_VALUES[emotion] for emotion in EMOTIONS)
_FIELDS: Final = 4 + 2 * len(EMOTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accumulator:
    """Sums over evidence of one modality; all in steps of :data:`UNIT`. Adding is exact and commutes.

    Attributes:
        amount: Seconds of evidence.
        mass: Seconds of evidence times their quality.
        mood: Mass times mood.
        mood_square: Mass times squared mood.
        logs: Mass times smoothed log-probability, for each of the seven emotions.
        shares: Mass times probability, for each of the seven emotions.
    """

    amount: int = 0
    mass: int = 0
    mood: int = 0
    mood_square: int = 0
    logs: tuple[int, ...] = (0,) * len(EMOTIONS)
    shares: tuple[int, ...] = (0,) * len(EMOTIONS)

    def __add__(self, other: Self) -> "Accumulator":
        return Accumulator.of([a + b for a, b in zip(self.values(), other.values(), strict=True)])

    def values(self) -> tuple[int, ...]:
        """Return the sums in the order in which they are stored."""
        return (self.amount, self.mass, self.mood, self.mood_square, *self.logs, *self.shares)

    @classmethod
    def of(cls, values: Sequence[int]) -> "Accumulator":
        """Return the accumulator with these sums, in the order of :meth:`values`."""
        if len(values) != _FIELDS:
            raise ValueError(f"an accumulator has {_FIELDS} sums, not {len(values)}")
        amount, mass, mood, mood_square = values[:4]
        logs, shares = tuple(values[4 : 4 + len(EMOTIONS)]), tuple(values[4 + len(EMOTIONS) :])
        return cls(amount=amount, mass=mass, mood=mood, mood_square=mood_square, logs=logs, shares=shares)

    def pack(self) -> str:
        """Return the sums as the store keeps them: decimal integers with spaces between."""
        return " ".join(map(str, self.values()))

    @classmethod
    def unpack(cls, text: str) -> "Accumulator":
        """Return what :meth:`pack` wrote."""
        return cls.of([int(value) for value in text.split()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one score adds.

    Attributes:
        total: Added to the whole session; exactly the sum of the bins.
        bins: Added to the bins that the score touches, by the index of their second; at most 31.
    """

    total: Accumulator
    bins: dict[int, Accumulator]


def contribution_of(score: ModalityScore) -> Contribution:
    """Return what a score adds to its modality's sums; what abstained or failed adds nothing.

    A stretch of speech is spread over the seconds that it overlaps, so that a score costs the same however long the
    session is.
    """
    if score.status is not Status.SCORED or score.distribution is None or score.mood is None:
        return Contribution(total=Accumulator(), bins={})
    rates = evidence_rates([score.distribution[emotion] for emotion in EMOTIONS], score.mood, score.quality)
    bins = {
        index: Accumulator.of([round(rate * seconds / UNIT) for rate in rates])
        for index, seconds in _overlaps(score.modality, score.start_s, score.end_s)
    }
    total = sum(bins.values(), start=Accumulator())
    return Contribution(total=total, bins=bins)


def evidence_rates(distribution: Sequence[float], mood: float, quality: float) -> tuple[float, ...]:
    """Return what one second of such evidence adds to the sums of an :class:`Accumulator`, in their order.

    Args:
        distribution: Seven probabilities in the order of :data:`EMOTIONS`.
        mood: 1..5.
        quality: 0..1.
    """
    told = tilted(distribution, mood)
    sums = (mood, mood**2, *log_evidence(told), *told)
    return (1.0, quality, *(quality * each for each in sums))


def log_evidence(distribution: Sequence[float]) -> tuple[float, ...]:
    """Return smoothed log-probabilities: none above 0, none so low that it rules an emotion out."""
    return tuple(math.log((p + SMOOTHING) / (1 + len(EMOTIONS) * SMOOTHING)) for p in distribution)


def tilted(distribution: Sequence[float], mood: float) -> list[float]:
    """Return a distribution that agrees with a mood.

    Text answers with a valence head of its own. Where a score's mood is not the one of its distribution, the
    distribution is tilted exponentially, ``p' ~ p * exp(rate * value)``, to the mood: among all distributions of that
    mood it is the nearest to ``p`` (Csiszar, "I-divergence geometry", 1975). So everything is one pool.

    Args:
        distribution: Seven probabilities in the order of :data:`EMOTIONS`.
        mood: 1..5; taken to the nearest that the seven mood values can express.
    """
    if abs(sum(p * value for p, value in zip(distribution, _VALUES, strict=True)) - mood) < _SAME_MOOD:
        return list(distribution)
    total = sum(distribution) + _FLOOR * len(EMOTIONS)
    floored = [(p + _FLOOR) / total for p in distribution]
    target = min(max(mood, _MOOD_SPAN[0]), _MOOD_SPAN[1])
    return _tilt(floored, _tilt_rate(floored, target))


def _tilt(distribution: Sequence[float], rate: float) -> list[float]:
    weights = [p * math.exp(rate * (value - 3.0)) for p, value in zip(distribution, _VALUES, strict=True)]
    total = sum(weights)
    return [weight / total for weight in weights]


def _tilt_rate(distribution: Sequence[float], target: float) -> float:
    """Solve for the rate by Newton's method, kept inside a bracket by bisection."""
    low, high, rate = -60.0, 60.0, 0.0
    for _ in range(100):
        tilted = _tilt(distribution, rate)
        mean = sum(p * value for p, value in zip(tilted, _VALUES, strict=True))
        if abs(mean - target) < 1e-9:
            break
        low, high = (rate, high) if mean < target else (low, rate)
        variance = sum(p * (value - mean) ** 2 for p, value in zip(tilted, _VALUES, strict=True))
        newton = rate + (target - mean) / variance
        rate = newton if low < newton < high else (low + high) / 2
    return rate


def _overlaps(modality: Modality, start_s: float, end_s: float) -> list[tuple[int, float]]:
    """Return the bins that a span touches, each with the seconds that it takes of it."""
    if end_s <= start_s:
        return [(int(start_s // BIN_S), MOMENT_S[modality])]
    end_s = min(end_s, start_s + MAX_SPEECH_SECONDS)
    first, last = int(start_s // BIN_S), int(end_s // BIN_S)
    spans = ((i, min(end_s, (i + 1) * BIN_S) - max(start_s, i * BIN_S)) for i in range(first, last + 1))
    return [(index, seconds) for index, seconds in spans if seconds > 0]
