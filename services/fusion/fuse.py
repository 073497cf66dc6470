"""The fusion rule: one log-linear pool of what the modalities say, with a prior, a mood and how sure it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from services.fusion.accumulate import UNIT, Accumulator
from services.fusion.parameters import DEFAULT_PARAMETERS, FusionParameters
from shared.emotions import MOOD_MAX, MOOD_MIN, Modality, mood_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityView:
    """What one modality says by itself, over all of its evidence.

    Attributes:
        distribution: Geometric mean of its distributions, weighted by quality and time; float64 array of shape (7,).
        mood: Mean of its moods, weighted alike; 1..5.
        mood_sd: Standard deviation of its moods over time.
        quality: Mean quality, 0..1.
        amount_s: Seconds of evidence.
        weight: Exponent with which it enters the pool.
        share: Its part of all weights, 0..1; the prior's is not counted.
    """

    distribution: NDArray[np.float64]
    mood: float
    mood_sd: float
    quality: float
    amount_s: float
    weight: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """One mood out of all modalities.

    Attributes:
        distribution: Over the seven emotions; float64 array of shape (7,).
        mood: Its expected mood, 1..5.
        spread: Standard deviation of the mood.
        low: Lower end of the 80 % interval, at least 1.
        high: Upper end of the 80 % interval, at most 5.
        views: What each modality with evidence says by itself.
    """

    distribution: NDArray[np.float64]
    mood: float
    spread: float
    low: float
    high: float
    views: Mapping[Modality, ModalityView]

    def disagreement(self) -> tuple[Modality, Modality, float] | None:
        """Return the two modalities whose moods are furthest apart, and by how much; None if fewer than two spoke."""
        pairs = [(a, b, abs(self.views[a].mood - self.views[b].mood)) for a, b in combinations(self.views, 2)]
        return max(pairs, key=lambda pair: pair[2], default=None)


def fuse(
    sums: Mapping[Modality, Accumulator],
    parameters: FusionParameters = DEFAULT_PARAMETERS,
    *,
    minimum_s: float | None = None,
) -> Fused | None:
    """Fuse what the modalities say.

    ``log p ~ prior_weight * log prior + sum over modalities of weight * mean log-probability``, where a weight is
    reliability times mean quality times an amount that saturates. The variance of the mood falls with every second of
    evidence and grows with the disagreement between modalities; a modality without evidence enters nowhere.

    Args:
        sums: The accumulated evidence of each modality.
        parameters: The numbers of the rule.
        minimum_s: Seconds of evidence times quality below which nothing is said; by default the session's.

    Returns:
        The fused mood, or None where there is not enough evidence for a number.
    """
    least = parameters.minimum_s if minimum_s is None else minimum_s
    heard = {modality: sums[modality] for modality in Modality if modality in sums and sums[modality].mass > 0}
    if sum(each.mass for each in heard.values()) * UNIT < least or not heard:
        return None
    views = _views(heard, parameters)
    logits = parameters.prior_weight * np.log(parameters.prior)
    logits = logits + sum(view.weight * _mean_logs(heard[modality]) for modality, view in views.items())
    distribution = _softmax(logits)
    mood = float(np.clip(mood_of(distribution), MOOD_MIN, MOOD_MAX))
    spread = _spread(heard, views, parameters)
    margin = parameters.interval_z * spread
    return Fused(
        distribution=distribution,
        mood=mood,
        spread=spread,
        low=max(MOOD_MIN, mood - margin),
        high=min(MOOD_MAX, mood + margin),
        views=views,
    )


def _views(heard: Mapping[Modality, Accumulator], parameters: FusionParameters) -> dict[Modality, ModalityView]:
    weights = {
        modality: parameters.modalities[modality].reliability
        * sums.mass
        * UNIT
        / (sums.amount * UNIT + parameters.half_amount_s)
        for modality, sums in heard.items()
    }
    total = sum(weights.values())
    return {modality: _view(sums, weights[modality], weights[modality] / total) for modality, sums in heard.items()}


def _view(sums: Accumulator, weight: float, share: float) -> ModalityView:
    mood = sums.mood / sums.mass
    return ModalityView(
        distribution=_softmax(_mean_logs(sums)),
        mood=float(np.clip(mood, MOOD_MIN, MOOD_MAX)),
        mood_sd=float(np.sqrt(max(0.0, sums.mood_square / sums.mass - mood**2))),
        quality=min(1.0, sums.mass / sums.amount),
        amount_s=sums.amount * UNIT,
        weight=weight,
        share=share,
    )


def _spread(
    heard: Mapping[Modality, Accumulator], views: Mapping[Modality, ModalityView], parameters: FusionParameters
) -> float:
    """Combine the modalities' measured errors as independent, and add what they disagree by.

    The precision of a modality grows with its mass alone, never with its mean quality: otherwise a poor second after
    a good one would make the answer less sure than if it had never been heard.
    """
    precision = parameters.prior_sd**-2
    for modality, sums in heard.items():
        mass = sums.mass * UNIT
        precision += mass / (mass + parameters.half_amount_s) * parameters.modalities[modality].error_sd ** -2
    centre = sum(view.share * view.mood for view in views.values())
    between = sum(view.share * (view.mood - centre) ** 2 for view in views.values())
    return float(np.sqrt(1 / precision + parameters.disagreement_factor * between))


def _mean_logs(sums: Accumulator) -> NDArray[np.float64]:
    return np.array(sums.logs, dtype=np.float64) / sums.mass


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())
