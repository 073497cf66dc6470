"""Intervals that cover what they say, for people who were not there when the rule was fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from services.fusion.parameters import Calibration
from services.fusion.pool import Floats, Pooled

COVERAGE: Final = 0.8

_ROUNDS: Final = 20
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Errors out of fold, of n clips.

    Attributes:
        spreads: Predicted standard deviations, float64 of shape (n,).
        errors: Absolute errors of mood, float64 of shape (n,), each as a share of what its interval has on that side
            of the half-width: see :func:`on_its_side`.
        actors: Whose clips, int64 of shape (n,).
    """

    spreads: Floats
    errors: Floats
    actors: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the errors of several folds as one."""
        return cls(
            spreads=np.concatenate([part.spreads for part in parts]),
            errors=np.concatenate([part.errors for part in parts]),
            actors=np.concatenate([part.actors for part in parts]),
        )


def on_its_side(pooled: Pooled, moods: Floats) -> Floats:
    """Return absolute errors of mood as an interval that does not lean would see them.

    Args:
        pooled: What was said of n moments.
        moods: What is true of them, float64 of shape (n,).
    """
    errors = moods - pooled.moods
    return np.asarray(np.abs(errors) / (1 + np.sign(errors) * pooled.leans))


def calibrated(errors: Errors, bins: int) -> Calibration:
    """Return half-widths that cover as they should in each of some bins of the spreads.

    Conformal prediction within groups (Vovk et al., "Algorithmic learning in a random world", 2005): the errors
    are divided by the half-width, and each bin's point of the line is moved until their quantile is one.

    Args:
        errors: Errors out of fold.
        bins: How many bins, of as many clips each.
    """
    parts = np.array_split(np.argsort(errors.spreads, kind="stable"), bins)
    spreads = tuple(float(np.median(errors.spreads[part])) for part in parts)
    half_widths = np.array(spreads)
    for _ in range(_ROUNDS):
        widths = Calibration(spreads=spreads, half_widths=tuple(half_widths)).half_width(errors.spreads)
        scores = errors.errors / widths
        half_widths *= [quantile_over_actors(scores[part], errors.actors[part]) for part in parts]
        half_widths = np.maximum.accumulate(half_widths)
    return Calibration(spreads=spreads, half_widths=tuple(half_widths.tolist()))


def quantile_over_actors(scores: Floats, actors: NDArray[np.int64]) -> float:
    """Return the quantile of scores for a person who is not among the actors.

    Clips of one actor are alike, so that actors are what can be exchanged, not clips: every actor's clips share the
    actor's weight (Dunn, Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models",
    2022, pooling). Their rank for one clip of each of k actors, (k + 1) * 0.8, would cover at least 80 %; the pooled
    distribution of many clips is surer than that of k, and covers 80 % as it is (``cross_validate`` measures it).
    """
    names, owner, count = np.unique(actors, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum((1 / (len(names) * count))[owner][order])
    place = int(np.searchsorted(reached, COVERAGE - _ROUNDING))
    return float(scores[order][min(place, len(scores) - 1)])
