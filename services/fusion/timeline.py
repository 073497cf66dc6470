"""The seconds of a session, each fused by itself and with its neighbours. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from services.fusion.accumulate import Accumulator, contribution_of
from services.fusion.fuse import Fused, fuse_rows
from services.fusion.parameters import DEFAULT_PARAMETERS, FusionParameters
from services.fusion.pool import Floats, rows_of
from services.fusion.state import TimelineBin
from shared.emotions import Modality
from shared.messages.details import Unit
from shared.messages.score import ModalityScore, ModelRef


class Smoothing(BaseModel):
    """How seconds take in their neighbours: sums of evidence are added, each times its weight, and then fused.

    Attributes:
        kernel: Shape of the weights.
        weights: For the seconds before, the second itself and those after; what has no evidence adds nothing.
    """

    model_config = ConfigDict(frozen=True)

    kernel: Literal["triangular"]
    weights: tuple[float, ...] = Field(min_length=1)

    @property
    def reach(self) -> int:
        """How many seconds it takes in on each side."""
        return len(self.weights) // 2


SMOOTHING: Final = Smoothing(kernel="triangular", weights=(1 / 3, 2 / 3, 1.0, 2 / 3, 1 / 3))
UNSMOOTHED: Final = Smoothing(kernel="triangular", weights=(1.0,))


class EvidenceRef(BaseModel):
    """A score that a moment stands on.

    Attributes:
        modality: Whose.
        seq: Which.
        model: What gave it.
        weight: Its part of the moment, 0..1; the parts of all that the moment stands on sum to one.
    """

    model_config = ConfigDict(frozen=True)

    modality: Modality
    seq: int
    model: ModelRef
    weight: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """A second with evidence of its own.

    Attributes:
        index: Which second, from 0.
        mass: Its own evidence: seconds times quality.
        alone: What its own evidence says.
        smoothed: What it says with its neighbours.
    """

    index: int
    mass: float
    alone: Fused
    smoothed: Fused


def fuse_seconds(
    bins: Sequence[TimelineBin],
    parameters: FusionParameters = DEFAULT_PARAMETERS,
    smoothing: Smoothing = SMOOTHING,
) -> list[Second]:
    """Return the seconds that have enough evidence of their own, in order.

    Args:
        bins: The seconds, in order.
        parameters: The numbers of the fusion rule.
        smoothing: How seconds take in their neighbours.
    """
    if not bins:
        return []
    indices = np.array([each.index for each in bins])
    rows = rows_of([each.sums for each in bins])
    alone = fuse_rows(rows, parameters, minimum_s=parameters.minimum_bin_s)
    smoothed = fuse_rows(_smoothed(indices, rows, smoothing), parameters, minimum_s=0.0)
    return [
        Second(index=each.index, mass=_mass(own), alone=own, smoothed=mixed)
        for each, own, mixed in zip(bins, alone, smoothed, strict=True)
        if own is not None and mixed is not None
    ]


def thinned(bins: Sequence[TimelineBin], length: int) -> list[TimelineBin]:
    """Return longer bins: evidence is added, so that nothing is left out.

    Args:
        bins: The seconds, in order.
        length: How many seconds become one bin; its index counts such stretches.
    """
    groups = groupby(bins, key=lambda each: each.index // length)
    return [TimelineBin(index=index, sums=_sum(group)) for index, group in groups]


def references_of(
    seconds: Sequence[Second], evidence: Sequence[ModalityScore], smoothing: Smoothing = SMOOTHING, length: int = 1
) -> dict[int, tuple[EvidenceRef, ...]]:
    """Return the scores that each second stands on, by the second's index.

    Args:
        seconds: The fused seconds.
        evidence: The scores of the session.
        smoothing: How the seconds took in their neighbours.
        length: How many seconds each of them really is, where they were thinned.
    """
    shares = {each.index: {m: view.share for m, view in each.smoothed.views.items()} for each in seconds}
    masses: dict[int, list[tuple[ModalityScore, float]]] = {index: [] for index in shares}
    for score in evidence:
        for index, mass in _masses_around(score, smoothing, length).items():
            if index in masses and score.modality in shares[index]:
                masses[index].append((score, mass))
    return {index: _references(found, shares[index]) for index, found in masses.items()}


def _sum(bins: Iterable[TimelineBin]) -> dict[Modality, Accumulator]:
    sums: dict[Modality, Accumulator] = {}
    for each in bins:
        for modality, added in each.sums.items():
            sums[modality] = sums.get(modality, Accumulator()) + added
    return sums


def _smoothed(indices: NDArray[np.int64], rows: Floats, smoothing: Smoothing) -> Floats:
    mixed = np.zeros_like(rows)
    for offset, weight in enumerate(smoothing.weights, start=-smoothing.reach):
        places = np.minimum(np.searchsorted(indices, indices + offset), len(indices) - 1)
        there = indices[places] == indices + offset
        mixed[there] += weight * rows[places[there]]
    return mixed


def _mass(fused: Fused) -> float:
    return sum(view.amount_s * view.quality for view in fused.views.values())


def _masses_around(score: ModalityScore, smoothing: Smoothing, length: int) -> dict[int, float]:
    """Return how much of a score each second takes in."""
    found: dict[int, float] = {}
    for index, sums in contribution_of(score).bins.items():
        for offset, weight in enumerate(smoothing.weights, start=-smoothing.reach):
            place = index // length + offset
            found[place] = found.get(place, 0.0) + weight * sums.mass
    return found


def _references(
    found: Sequence[tuple[ModalityScore, float]], shares: Mapping[Modality, float]
) -> tuple[EvidenceRef, ...]:
    totals = dict.fromkeys(shares, 0.0)
    for score, mass in found:
        totals[score.modality] += mass
    return tuple(
        EvidenceRef(
            modality=score.modality,
            seq=score.seq,
            model=score.model,
            weight=round(min(1.0, shares[score.modality] * mass / totals[score.modality]), 4),
        )
        for score, mass in found
        if mass > 0
    )
