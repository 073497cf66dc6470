"""Fit the fusion rule to the votes of people: ``python -m services.fusion.training.fit``.

Actors with an id divisible by five are left out of everything here; ``evaluate`` measures on them.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.fusion.parameters import (
    FILE,
    Calibration,
    FusionParameters,
    ModalityParameters,
    read_parameters,
    write_parameters,
)
from services.fusion.pool import Evidence, Floats, pool
from services.fusion.training import transfer
from services.fusion.training.conformal import Errors, calibrated, on_its_side
from services.fusion.training.coverage import interval_scores
from services.fusion.training.votes import Panels, evidence_of, read_votes, shares_of
from shared.emotions import Emotion, Modality, mood_of

PANELS: Final = "panels.json"
VERSION: Final = "1"
NORMAL_HALF_WIDTH: Final = 1.2816
"""Half-width of the 80 % interval of a normal error, in standard deviations; where calibration starts."""

Inputs = tuple[Modality, ...]
"""Which modalities the people had."""

BOTH: Final = (Modality.AUDIO, Modality.FACE)
INPUTS: Final[tuple[Inputs, ...]] = (BOTH, (Modality.AUDIO,), (Modality.FACE,))
"""What the rule is fitted with: voice and face, and each of them alone."""

_PRIOR: Final = {
    Emotion.ANGER: 0.065,
    Emotion.DISGUST: 0.045,
    Emotion.FEAR: 0.05,
    Emotion.JOY: 0.21,
    Emotion.NEUTRAL: 0.505,
    Emotion.SADNESS: 0.075,
    Emotion.SURPRISE: 0.05,
}
BINS: Final[dict[Inputs, int]] = {BOTH: 2, (Modality.AUDIO,): 3, (Modality.FACE,): 3}
"""Bins of the calibration: of 1 to 4, those whose coverage by thirds of the width was nearest to 80 % where ``python -m
services.fusion.training.cross_validate --choose`` left each training actor out of all of the fit once."""

FOLDS: Final = 5
_THINNED: Final = 3
_CONDITIONS: Final = ((BOTH, None, 1.0), ((Modality.AUDIO,), None, 0.2), ((Modality.FACE,), None, 0.2), (BOTH, 3, 0.5))
"""Inputs, votes that each panel is thinned to, and the weight in the loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    evidence: Evidence
    weight: float


def main() -> None:
    """Fit, print what cross-validation says, and write the parameters."""
    options = _options()
    panels = read_votes(options.data)
    training = panels.take(~panels.held_out)
    print(f"{len(training.actors)} clips of {len(np.unique(training.actors))} actors")
    folder = Path(str(files("services.fusion")))
    if not options.transfer:
        (folder / "training" / PANELS).write_text(write_parameters(cross_validated(training)), encoding="utf-8")
    before, after = read_parameters((folder / FILE).read_text(encoding="utf-8")), served(training)
    (folder / FILE).write_text(write_parameters(after), encoding="utf-8")
    _tell(training, before, after)


def served(training: Panels) -> FusionParameters:
    """Return the rule for our models: that of the panels, scaled by what the models' manifests say."""
    gaps = transfer.gaps_of(training)
    return transfer.transferred(panel_parameters(), gaps, transfer.own_errors(gaps))


def _tell(training: Panels, before: FusionParameters, after: FusionParameters) -> None:
    """Print what the model card says of the step to our models, and what has changed."""
    gaps = transfer.gaps_of(training)
    errors = transfer.own_errors(gaps)
    total = sum(each.reliability for each in after.modalities.values())
    for modality, error in errors.items():
        gap, old, new = gaps.of(modality), before.modalities[modality], after.modalities[modality]
        print(
            f"{modality:6} gap {gap:.3f}, own error {error:.3f}, kept {transfer.kept_share(gap, error):.2f}, "
            f"share at equal evidence {new.reliability / total:.2f}; reliability {old.reliability:.4f} -> "
            f"{new.reliability:.4f}, error {old.error_sd:.4f} -> {new.error_sd:.4f}"
        )
    print("the parameters are as they were" if before == after else f"{FILE} has changed; commit it")


def panel_parameters() -> FusionParameters:
    """Return the rule as fitted on panels of people, before it is scaled for our models."""
    return read_parameters((files("services.fusion.training") / PANELS).read_text(encoding="utf-8"))


def cross_validated(training: Panels) -> FusionParameters:
    """Return the rule fitted on all actors, with intervals calibrated on errors out of fold by actor."""
    return with_calibration(fit(training), errors_out_of_fold(training), BINS)


def errors_out_of_fold(training: Panels) -> dict[Inputs, Errors]:
    """Return the errors of rules that were fitted without the actor, by what was heard or seen; print each fold's."""
    actors = np.unique(training.actors)
    errors: dict[Inputs, list[Errors]] = {inputs: [] for inputs in INPUTS}
    for fold in range(FOLDS):
        out = np.isin(training.actors, actors[fold::FOLDS])
        fitted, held = fit(training.take(~out)), training.take(out)
        mae, jsd = losses(fitted, evidence_of(held, BOTH), held)
        print(f"fold {fold + 1}: MAE {mae:.4f}, JSD {jsd:.4f} bit")
        for inputs in INPUTS:
            errors[inputs].append(_errors(fitted, evidence_of(held, inputs), held))
    return {inputs: Errors.joined(parts) for inputs, parts in errors.items()}


def fit(training: Panels) -> FusionParameters:
    """Fit the pool, then the interval, on the votes of some actors."""
    target = shares_of(training.both)
    cases = [_case(training, *condition) for condition in _CONDITIONS]
    pooled = _minimised(lambda x: _pool_loss(_with_pool(x), cases, target), _POOL_START)
    rule = _with_pool(pooled)
    evidence = [evidence_of(training, inputs) for inputs in INPUTS]
    width = _minimised(lambda x: _interval_loss(_with_interval(rule, x), evidence, mood_of(target)), _INTERVAL_START)
    return _with_interval(rule, width)


def losses(parameters: FusionParameters, evidence: Evidence, panels: Panels) -> tuple[float, float]:
    """Return the mean absolute error of the mood and the Jensen-Shannon divergence (bit) to the panel of both."""
    pooled = pool(evidence, parameters.without(Emotion.SURPRISE))
    target = shares_of(panels.both)
    error = np.abs(pooled.moods - mood_of(target)).mean()
    return float(error), float(divergence(pooled.distributions, target).mean())


def divergence(first: Floats, second: Floats) -> Floats:
    """Return the Jensen-Shannon divergence in bit of distributions of shape (n, 7) (Lin, 1991)."""
    middle = (first + second) / 2
    return (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2


_POOL_START: Final = np.array([4.5, 3.8, -0.3, -1.7, -4.3, 0.4])
_INTERVAL_START: Final = np.array([np.log(0.6), np.log(0.3), 0.0, np.log(0.1), 2.0, 0.0])
_UNIT: Final = Calibration(spreads=(1.0,), half_widths=(NORMAL_HALF_WIDTH,))


def _with_pool(x: Floats) -> FusionParameters:
    exponent, bias, linear, reliability, prior_share, gain = x.tolist()
    shared = {"exponent": exponent, "linear_share": float(1 / (1 + np.exp(-linear))), "error_sd": 1.0}
    voice = ModalityParameters(reliability=float(np.exp(reliability)), neutral_bias=bias, calibration=_UNIT, **shared)
    face = ModalityParameters(reliability=1.0, neutral_bias=0.0, calibration=_UNIT, **shared)
    return FusionParameters(
        version=VERSION,
        modalities={Modality.TEXT: face, Modality.AUDIO: voice, Modality.FACE: face},
        prior=tuple(_PRIOR.values()),
        prior_weight=0.25,
        prior_share=float(np.exp(prior_share)),
        agreement_gain=abs(gain),
        agreement_sd=0.5,
        prior_sd=1.0,
        half_amount_s=0.5,
        half_share=0.1,
        minimum_s=0.4,
        minimum_bin_s=0.05,
        disagreement_factor=0.5,
        ambiguity_share=0.5,
        lean=0.5,
        calibration=_UNIT,
    )


def with_calibration(
    rule: FusionParameters, errors: Mapping[Inputs, Errors], bins: Mapping[Inputs, int]
) -> FusionParameters:
    """Return a rule with its intervals calibrated on errors out of fold, in so many bins for each of the inputs."""
    several, voice, face = (calibrated(errors[inputs], bins[inputs]) for inputs in INPUTS)
    found = {Modality.TEXT: face, Modality.AUDIO: voice, Modality.FACE: face}
    modalities = {name: replace(each, calibration=found[name]) for name, each in rule.modalities.items()}
    return replace(rule, modalities=modalities, calibration=several)


def _errors(parameters: FusionParameters, evidence: Evidence, panels: Panels) -> Errors:
    pooled = pool(evidence, parameters.without(Emotion.SURPRISE))
    errors = on_its_side(pooled, mood_of(shares_of(panels.both)))
    return Errors(spreads=pooled.spreads, errors=errors, actors=panels.actors)


def _with_interval(rule: FusionParameters, x: Floats) -> FusionParameters:
    voice, face, prior, disagreement = np.exp(x[:4]).tolist()
    errors = {Modality.TEXT: face, Modality.AUDIO: voice, Modality.FACE: face}
    modalities = {name: replace(each, error_sd=errors[name]) for name, each in rule.modalities.items()}
    return replace(
        rule,
        modalities=modalities,
        prior_sd=prior,
        disagreement_factor=disagreement,
        ambiguity_share=float(1 / (1 + np.exp(-x[4]))),
        lean=float(1 / (1 + np.exp(-x[5]))),
    )


def _case(training: Panels, inputs: Inputs, votes: int | None, weight: float) -> _Case:
    panels = training if votes is None else training.thinned(votes, seed=votes)
    return _Case(evidence=evidence_of(panels, inputs), weight=weight)


def _pool_loss(parameters: FusionParameters, cases: list[_Case], target: Floats) -> float:
    asked, moods, total = parameters.without(Emotion.SURPRISE), mood_of(target), 0.0
    for case in cases:
        pooled = pool(case.evidence, asked)
        error = np.abs(pooled.moods - moods).mean() + divergence(pooled.distributions, target).mean()
        total += case.weight * float(error)
    return total


def _interval_loss(parameters: FusionParameters, evidence: list[Evidence], moods: Floats) -> float:
    """Return the interval scores, each over the mean error, summed over the inputs."""
    total = 0.0
    for each in evidence:
        pooled = pool(each, parameters.without(Emotion.SURPRISE))
        scores = interval_scores(pooled.lows, pooled.highs, moods)
        total += float(scores.mean() / np.abs(pooled.moods - moods).mean())
    return total


def _minimised(loss: Callable[[Floats], float], start: Floats) -> Floats:
    # A little pull to the start keeps what the data does not tell from running away.
    def pulled(x: NDArray[np.float64]) -> float:
        return loss(x) + 1e-4 * float(((x - start) ** 2).sum())

    return np.asarray(minimize(pulled, start, method="L-BFGS-B", options={"maxiter": 60}).x)


def _relative_entropy(of: Floats, to: Floats) -> Floats:
    ratio = np.where(of > 0, of, 1.0) / np.where(of > 0, to, 1.0)
    return np.asarray((of * np.log2(ratio)).sum(axis=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data folder (%(default)s)")
    parser.add_argument("--transfer", action="store_true", help="keep the fit; only read the models' manifests again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
