"""The fusion rule: what the modalities say becomes one distribution, one mood and how sure it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.fusion.accumulate import Accumulator
from services.fusion.parameters import DEFAULT_PARAMETERS, FusionParameters
from services.fusion.pool import Evidence, Floats, Pooled, pool, rows_of
from shared.emotions import MODALITIES, Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityView:
    """What one modality says by itself, over all of its evidence.

    Attributes:
        distribution: Mean of its distributions, weighted by quality and time; float64 array of shape (7,).
        mood: Mean of its moods, weighted alike; 1..5.
        mood_sd: Standard deviation of its moods over time.
        quality: Mean quality, 0..1.
        amount_s: Seconds of evidence.
        share: Its part of the answer, 0..1; the prior's is not counted.
    """

    distribution: NDArray[np.float64]
    mood: float
    mood_sd: float
    quality: float
    amount_s: float
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


def fuse(sums: Mapping[Modality, Accumulator], parameters: FusionParameters = DEFAULT_PARAMETERS) -> Fused | None:
    """Fuse what the modalities say; :func:`services.fusion.pool.pool` is the rule.

    Args:
        sums: The accumulated evidence of each modality; one without evidence changes nothing.
        parameters: The numbers of the rule.

    Returns:
        The fused mood, or None where there is not enough evidence for a number.
    """
    return fuse_rows(rows_of([sums]), parameters)[0]


def fuse_rows(
    rows: Floats, parameters: FusionParameters = DEFAULT_PARAMETERS, *, minimum_s: float | None = None
) -> list[Fused | None]:
    """Fuse many moments at once, each as :func:`fuse` does.

    Args:
        rows: Sums of shape (n, 3, 18), as :func:`services.fusion.pool.rows_of` gives them.
        parameters: The numbers of the rule.
        minimum_s: Seconds of evidence times quality below which nothing is said; by default the session's.
    """
    evidence = Evidence.of(rows)
    least = parameters.minimum_s if minimum_s is None else minimum_s
    masses = evidence.masses.sum(axis=1)
    enough = (masses > 0) & (masses >= least)
    pooled = pool(evidence, parameters)
    return [_fused(evidence, pooled, n) if enough[n] else None for n in range(len(rows))]


def _fused(evidence: Evidence, pooled: Pooled, moment: int) -> Fused:
    return Fused(
        distribution=pooled.distributions[moment],
        mood=float(pooled.moods[moment]),
        spread=float(pooled.spreads[moment]),
        low=float(pooled.lows[moment]),
        high=float(pooled.highs[moment]),
        views={
            modality: _view(evidence, (moment, place), float(pooled.shares[moment, place]))
            for place, modality in enumerate(MODALITIES)
            if evidence.masses[moment, place] > 0
        },
    )


def _view(evidence: Evidence, at: tuple[int, int], share: float) -> ModalityView:
    return ModalityView(
        distribution=evidence.shares[at],
        mood=float(evidence.moods[at]),
        mood_sd=float(evidence.mood_sds[at]),
        quality=float(evidence.qualities[at]),
        amount_s=float(evidence.amounts[at]),
        share=share,
    )
