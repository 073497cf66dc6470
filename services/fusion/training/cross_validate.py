"""Repeat the whole fit so that every actor is left out once: ``python -m services.fusion.training.cross_validate``.

Each fifth of the actors (by id modulo five; that of 0 is what is held out everywhere) is left out in turn, and the
rules are written to ``folds.json``, so that ``evaluate`` tells on five times as many clips how well intervals cover.
``--choose`` writes nothing and does the same among the training actors alone, for several numbers of bins: what the
calibration was chosen by. Either takes about five minutes where a core is free.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.fusion.parameters import FusionParameters, write_rules
from services.fusion.training.conformal import Errors
from services.fusion.training.coverage import Coverage
from services.fusion.training.evaluate import FOLDS_FILE
from services.fusion.training.fit import (
    BINS,
    BOTH,
    FOLDS,
    INPUTS,
    Inputs,
    errors_out_of_fold,
    fit,
    losses,
    with_calibration,
)
from services.fusion.training.votes import Panels, evidence_of, read_votes

_MOST_BINS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A fit, and the people who had no part in it.

    Attributes:
        fitted: The rule before its calibration.
        errors: What its intervals are calibrated on.
        held: The votes on the actors left out.
    """

    fitted: FusionParameters
    errors: Mapping[Inputs, Errors]
    held: Panels

    def rule(self, bins: Mapping[Inputs, int]) -> FusionParameters:
        """Return the rule, calibrated in so many bins for each of the inputs."""
        return with_calibration(self.fitted, self.errors, bins)


def folds_of(panels: Panels, numbers: NDArray[np.int64]) -> list[Fold]:
    """Repeat the whole fit for each fold, and print its error on the actors left out.

    Args:
        panels: The votes.
        numbers: In which fold each clip is, from 0; int64 of shape (n,).
    """
    folds = []
    for number in range(FOLDS):
        training, held = panels.take(numbers != number), panels.take(numbers == number)
        fold = Fold(fitted=fit(training), errors=errors_out_of_fold(training), held=held)
        mae, jsd = losses(fold.fitted, evidence_of(held, BOTH), held)
        left_out = f"left out {number + 1} of {FOLDS}, {len(np.unique(held.actors))} actors"
        print(f"{left_out}: MAE {mae:.4f}, JSD {jsd:.4f} bit on them")
        folds.append(fold)
    return folds


def main() -> None:
    """Write the rules, or print what the calibration was chosen by."""
    options = _options()
    panels = read_votes(options.data)
    if options.choose:
        _choose(panels.take(~panels.held_out))
        return
    folds = folds_of(panels, panels.actors % FOLDS)
    file = Path(str(files("services.fusion.training"))) / FOLDS_FILE
    file.write_text(write_rules([fold.rule(BINS) for fold in folds]), encoding="utf-8")
    print(f"{FOLDS_FILE} is written; python -m services.fusion.training.evaluate measures it")


def _choose(training: Panels) -> None:
    _, numbers = np.unique(training.actors, return_inverse=True)
    folds = folds_of(training, numbers % FOLDS)
    for inputs in INPUTS:
        for bins in range(1, _MOST_BINS + 1):
            rules = [(fold.rule(dict.fromkeys(INPUTS, bins)), fold.held) for fold in folds]
            found = Coverage.joined([Coverage.measured(rule, held, inputs) for rule, held in rules]).figures()
            told = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
            print(f"{' and '.join(inputs)}, {bins} bins: {told}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data folder (%(default)s)")
    parser.add_argument("--choose", action="store_true", help="training actors alone, for several numbers of bins")
    return parser.parse_args()


if __name__ == "__main__":
    main()
