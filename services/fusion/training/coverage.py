"""How often panel moods lie within their intervals, overall and by thirds of the intervals' width."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from services.fusion.parameters import FusionParameters
from services.fusion.pool import Floats, pool
from services.fusion.training.conformal import COVERAGE
from services.fusion.training.votes import Panels, evidence_of, shares_of
from shared.emotions import Emotion, Modality, mood_of

THIRDS: Final = ("narrow", "middle", "wide")

_SAMPLES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which of n panel moods lie within their intervals.

    Attributes:
        covered: bool of shape (n,).
        thirds: In which third of the widths each interval is, int64 of shape (n,).
        actors: Whose clips, int64 of shape (n,).
        widths: Of the intervals, float64 of shape (n,).
        scores: Interval scores, float64 of shape (n,).
    """

    covered: NDArray[np.bool_]
    thirds: NDArray[np.int64]
    actors: NDArray[np.int64]
    widths: Floats
    scores: Floats

    @classmethod
    def of(cls, low: Floats, high: Floats, moods: Floats, actors: NDArray[np.int64]) -> Self:
        """Return the coverage of one rule's intervals.

        Args:
            low: Their lower ends, float64 of shape (n,).
            high: Their upper ends, float64 of shape (n,).
            moods: The panels' moods, float64 of shape (n,).
            actors: Whose clips, int64 of shape (n,).
        """
        covered, widths = (low <= moods) & (moods <= high), high - low
        scores = interval_scores(low, high, moods)
        return cls(covered=covered, thirds=thirds_of(widths), actors=actors, widths=widths, scores=scores)

    @classmethod
    def measured(cls, rule: FusionParameters, held: Panels, inputs: tuple[Modality, ...]) -> Self:
        """Measure a rule on people who had no part in its fit.

        Args:
            rule: With its calibration.
            held: Their votes.
            inputs: Which modalities the rule gets.
        """
        pooled = pool(evidence_of(held, inputs), rule.without(Emotion.SURPRISE))
        moods = mood_of(shares_of(held.both))
        return cls.of(pooled.lows, pooled.highs, moods, held.actors)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the coverage of several rules as one; the thirds stay those of each rule."""
        return cls(
            covered=np.concatenate([part.covered for part in parts]),
            thirds=np.concatenate([part.thirds for part in parts]),
            actors=np.concatenate([part.actors for part in parts]),
            widths=np.concatenate([part.widths for part in parts]),
            scores=np.concatenate([part.scores for part in parts]),
        )

    def of_actors(self, names: NDArray[np.int64]) -> Self:
        """Return what is known of some actors' clips, in thirds of their own."""
        rows = np.isin(self.actors, names)
        widths = self.widths[rows]
        return replace(
            self,
            covered=self.covered[rows],
            thirds=thirds_of(widths),
            actors=self.actors[rows],
            widths=widths,
            scores=self.scores[rows],
        )

    def shares(self) -> Floats:
        """Return the share that is covered overall and in each third, float64 of shape (4,)."""
        rows = [np.ones_like(self.covered), *(self.thirds == place for place in range(len(THIRDS)))]
        return np.array([self.covered[row].mean() for row in rows])

    def figures(self) -> dict[str, float]:
        """Return the shares by name with how far it varies with the actors (``…_sd``), and mean width and score."""
        overall, *by_third = self.shares().tolist()
        figures = {
            "coverage": overall,
            "width": float(self.widths.mean()),
            "interval_score": float(self.scores.mean()),
        }
        for place, third in enumerate(THIRDS):
            rows = self.thirds == place
            figures[f"coverage_{third}"] = by_third[place]
            figures[f"coverage_{third}_sd"] = spread_over_actors(self.covered[rows], self.actors[rows])
        return figures


def thirds_of(widths: Floats) -> NDArray[np.int64]:
    """Return in which third of the widths each of n intervals is, int64 of shape (n,)."""
    thirds = np.zeros(len(widths), dtype=np.int64)
    for place, rows in enumerate(np.array_split(np.argsort(widths, kind="stable"), len(THIRDS))):
        thirds[rows] = place
    return thirds


def chance_within(parts: Mapping[str, Coverage], actors: int, limits: tuple[float, float], draws: int = 1000) -> float:
    """Return how often so few actors, drawn from all, have every share within limits.

    It tells what a look at a few actors is worth: the rule is the same in every draw.

    Args:
        parts: The coverage for both inputs, named ``""``, of which the thirds count too, and for each alone.
        actors: How many are drawn.
        limits: The lowest and the highest share.
        draws: How often.
    """
    random, names, within = np.random.default_rng(0), np.unique(parts[""].actors), 0
    for _ in range(draws):
        drawn = random.choice(names, actors, replace=False)
        shares = np.concatenate(
            [part.of_actors(drawn).shares()[: None if name == "" else 1] for name, part in parts.items()]
        )
        within += bool(((limits[0] <= shares) & (shares <= limits[1])).all())
    return within / draws


def interval_scores(low: Floats, high: Floats, moods: Floats) -> Floats:
    """Return the interval scores of 80 % intervals, the lower the better (Gneiting and Raftery, 2007).

    Args:
        low: Lower ends, float64 of shape (n,).
        high: Upper ends, float64 of shape (n,).
        moods: What is true, float64 of shape (n,).
    """
    outside = np.maximum(0.0, low - moods) + np.maximum(0.0, moods - high)
    return np.asarray(high - low + 2 / (1 - COVERAGE) * outside)


def spread_over_actors(covered: NDArray[np.bool_], actors: NDArray[np.int64]) -> float:
    """Return the standard deviation of a coverage over draws of other actors like these (bootstrap by actor)."""
    random = np.random.default_rng(0)
    names = np.unique(actors)
    counts = np.array([(actors == name).sum() for name in names])
    hits = np.array([covered[actors == name].sum() for name in names])
    draws = random.integers(0, len(names), (_SAMPLES, len(names)))
    return float((hits[draws].sum(axis=1) / counts[draws].sum(axis=1)).std())
