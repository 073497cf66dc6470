"""Measure the fusion rule on the votes of people: ``python -m services.fusion.training.evaluate``.

Only actors with an id divisible by five count, on whom nothing was fitted; but for ``every_actor_…``, where each actor
is judged by a rule that was fitted without the actor's fifth (see ``cross_validate``).
"""

import argparse
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.fusion.accumulate import Accumulator, contribution_of
from services.fusion.fuse import Fused, fuse
from services.fusion.parameters import FusionParameters, read_rules
from services.fusion.pool import Floats, pool
from services.fusion.training.coverage import Coverage, chance_within
from services.fusion.training.fit import BOTH, divergence, panel_parameters
from services.fusion.training.votes import Panels, evidence_of, rater_error, read_votes, scores_of, shares_of
from shared.emotions import MOOD_VECTOR, Emotion, Modality, mood_of

_THINNED: Final = 3
SAMPLES: Final = 200
WITHIN: Final = (0.78, 0.82)
"""What an 80 % interval is asked to cover."""

FOLDS_FILE: Final = "folds.json"
"""The rules that ``cross_validate`` writes, each fitted without the actors of one fold."""

_INPUTS: Final = {"": BOTH, "_voice": (Modality.AUDIO,), "_face": (Modality.FACE,)}


def evaluate(data: Path, samples: int = SAMPLES) -> dict[str, float]:
    """Measure the rule as served on the panels of the actors held out, and what it is compared with.

    Args:
        data: The data folder.
        samples: Bootstrap samples of ``thinned_better_share``.

    Returns:
        The figures by name: ``mae`` and ``jsd`` of the rule; ``coverage…`` of its interval for both inputs, by
        thirds of its width (``…_sd``: how far that varies with the actors), and for one input alone, with the
        mean ``width`` and the ``interval_score``;
        ``every_actor_…``: the same where each actor is held out once, not only those with an id divisible by five;
        ``every_actor_chance_within``: how often as many actors as those, drawn from all, have the coverage of both
        inputs, overall and by thirds, and of each alone within :data:`WITHIN`;
        ``thinned_better_share``; the references ``…_mae``, ``…_jsd``.
    """
    panels = read_votes(data)
    training, held = panels.take(~panels.held_out), panels.take(panels.held_out)
    parameters = panel_parameters().without(Emotion.SURPRISE)
    target = shares_of(held.both)
    figures: dict[str, float] = {}
    for name, inputs in _INPUTS.items():
        fused = [_fused(held, index, inputs, parameters) for index in range(len(held.actors))]
        figures |= {f"{key}{name}": value for key, value in _figures(fused, target, held.actors).items()}
    figures |= _every_actor(panels)
    figures["thinned_better_share"] = _thinned_better_share(held, parameters, samples)
    figures |= _references(training, held)
    return {name: round(value, 4) for name, value in figures.items()}


def _fused(panels: Panels, index: int, inputs: tuple[Modality, ...], parameters: FusionParameters) -> Fused:
    """Fuse one clip's panels as a session is fused: scores, sums, rule."""
    sums: dict[Modality, Accumulator] = {
        score.modality: contribution_of(score).total for score in scores_of(panels, index, inputs)
    }
    fused = fuse(sums, parameters)
    if fused is None:
        raise ValueError("a panel is enough evidence")
    return fused


def _figures(fused: list[Fused], target: Floats, actors: NDArray[np.int64]) -> dict[str, float]:
    moods = mood_of(target)
    said = np.array([each.mood for each in fused])
    low, high = (np.array([getattr(each, end) for each in fused]) for end in ("low", "high"))
    coverage = Coverage.of(low, high, moods, actors)
    return {
        "mae": float(np.abs(said - moods).mean()),
        "jsd": float(divergence(np.array([each.distribution for each in fused]), target).mean()),
        **coverage.figures(),
    }


def _every_actor(panels: Panels) -> dict[str, float]:
    """Return the coverage where every actor is held out once, from the rules of ``cross_validate``."""
    rules = read_rules((files("services.fusion.training") / FOLDS_FILE).read_text(encoding="utf-8"))
    held = [panels.take(panels.actors % len(rules) == number) for number in range(len(rules))]
    joined = {
        name: Coverage.joined(
            [Coverage.measured(rule, people, inputs) for rule, people in zip(rules, held, strict=True)]
        )
        for name, inputs in _INPUTS.items()
    }
    figures = {
        f"every_actor_{key}{name}": value for name, part in joined.items() for key, value in part.figures().items()
    }
    fixed = len(np.unique(panels.actors[panels.held_out]))
    return figures | {"every_actor_chance_within": chance_within(joined, fixed, WITHIN)}


def _thinned_better_share(held: Panels, parameters: FusionParameters, samples: int) -> float:
    """Return on which share of bootstrap samples the fused mood is nearer to the panel than either input alone.

    Every sample draws three votes for each input anew, and the clips with replacement. Alone means the better of the
    votes as they are and of the rule on that one input.
    """
    moods, better = mood_of(shares_of(held.both)), 0
    for sample in range(samples):
        thinned = held.thinned(_THINNED, seed=sample)
        drawn = np.random.default_rng(sample).integers(0, len(moods), len(moods))
        errors = {
            name: np.abs(pool(evidence_of(thinned, inputs), parameters).moods - moods)[drawn].mean()
            for name, inputs in _INPUTS.items()
        }
        plain = [np.abs(mood_of(shares_of(votes)) - moods)[drawn].mean() for votes in (thinned.voice, thinned.face)]
        better += bool(errors[""] < min(errors["_voice"], errors["_face"], *plain))
    return better / samples


def _references(training: Panels, held: Panels) -> dict[str, float]:
    """Return what simpler rules and people reach on the same clips."""
    voice, face, both = (shares_of(votes) for votes in (held.voice, held.face, held.both))
    weight = _best_linear_weight(training)
    linear = (1 - weight) * voice + weight * face
    log_linear = _log_linear(voice, face)
    moods = mood_of(both)
    return {
        "voice_panel_mae": float(np.abs(mood_of(voice) - moods).mean()),
        "face_panel_mae": float(np.abs(mood_of(face) - moods).mean()),
        "linear_mae": float(np.abs(mood_of(linear) - moods).mean()),
        "linear_jsd": float(divergence(linear, both).mean()),
        "log_linear_mae": float(np.abs(mood_of(log_linear) - moods).mean()),
        "log_linear_jsd": float(divergence(log_linear, both).mean()),
        "rater_mae": rater_error(held.both),
        "half_panel_mae": _half_panel_error(held.both),
        "half_panel_mae_training": _half_panel_error(training.both),
    }


def _best_linear_weight(panels: Panels) -> float:
    voice, face, both = (mood_of(shares_of(votes)) for votes in (panels.voice, panels.face, panels.both))
    weights = np.linspace(0, 1, 101)
    return float(min(weights, key=lambda weight: np.abs((1 - weight) * voice + weight * face - both).mean()))


def _log_linear(voice: Floats, face: Floats, smoothing: float = 0.05) -> Floats:
    """Return the log-linear pool with exponents 0.3 and 1.4 over the answers that were offered."""
    powers = (voice + smoothing) ** 0.3 * (face + smoothing) ** 1.4
    powers[:, list(Emotion).index(Emotion.SURPRISE)] = 0.0
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _half_panel_error(votes: Floats) -> float:
    """Return the error of a random half of the panel against the other half; an odd vote goes to the other half."""
    random = np.random.default_rng(0)
    errors = [_half_error(row.astype(np.int64), random) for row in votes for _ in range(5)]
    return float(np.mean(errors))


def _half_error(votes: NDArray[np.int64], random: np.random.Generator) -> float:
    half = random.multivariate_hypergeometric(votes, int(votes.sum()) // 2)
    rest = votes - half
    return float(abs(half @ MOOD_VECTOR / half.sum() - rest @ MOOD_VECTOR / rest.sum()))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data folder (%(default)s)")
    for name, value in evaluate(parser.parse_args().data).items():
        print(f"{name:28} {value:.4f}")


if __name__ == "__main__":
    main()
