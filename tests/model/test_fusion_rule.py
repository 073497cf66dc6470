"""The rule in the repository is the one that was fitted, and reaches what it must on people it was not fitted on."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from benchmarks.scoreboard import OUTPUT
from benchmarks.targets.fusion import FUSION
from services.fusion.parameters import DEFAULT_PARAMETERS, read_rules
from services.fusion.training.evaluate import FOLDS_FILE, evaluate
from services.fusion.training.fit import FOLDS, panel_parameters, served
from services.fusion.training.votes import read_votes

DATA = Path("../shared/data")

needs_votes = pytest.mark.skipif(
    not (DATA / "votes").is_dir(), reason="needs the CREMA-D votes in ../shared/data/votes"
)


@needs_votes
def test_the_rule_of_service_follows_the_manifests_of_the_models() -> None:
    panels = read_votes(DATA)
    again = served(panels.take(~panels.held_out))
    for modality, believed in DEFAULT_PARAMETERS.modalities.items():
        found = again.modalities[modality]
        assert believed.reliability == pytest.approx(found.reliability, rel=1e-6), (
            "a model's figures have changed: run python -m services.fusion.training.fit --transfer"
        )
        assert believed.error_sd == pytest.approx(found.error_sd, rel=1e-6)


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return evaluate(DATA, samples=40)


@needs_votes
def test_the_scoreboard_has_the_figures_of_this_rule(figures: dict[str, float]) -> None:
    rows = json.loads(OUTPUT.read_text(encoding="utf-8"))
    written = {row["figure"]: row["value"] for row in rows if row["area"] == "fusion"}
    drawn = "thinned_better_share"  # of other bootstrap samples
    measured = {target.figure: figures[target.key] for target in FUSION if target.key != drawn}
    assert {figure: written[figure] for figure in measured} == pytest.approx(measured, abs=1e-3)


@needs_votes
def test_the_rule_judges_as_a_panel_of_people_would(figures: dict[str, float]) -> None:
    assert figures["mae"] <= 0.240
    assert figures["jsd"] <= 0.125
    assert figures["mae"] < min(figures["linear_mae"], figures["log_linear_mae"], figures["half_panel_mae"])
    assert figures["thinned_better_share"] >= 0.95
    assert 0.78 <= figures["coverage"] <= 0.82
    for inputs in ("", "_voice", "_face"):
        for part in ("", "_narrow", "_middle", "_wide"):
            name = f"every_actor_coverage{part}{inputs}"
            assert 0.78 <= figures[name] <= 0.82, name


def test_the_rules_of_cross_validation_are_of_the_same_fit() -> None:
    folds = read_rules((files("services.fusion.training") / FOLDS_FILE).read_text(encoding="utf-8"))
    assert len(folds) == FOLDS
    assert folds[0] == panel_parameters()
    assert len({rule.rule for rule in folds}) == FOLDS
