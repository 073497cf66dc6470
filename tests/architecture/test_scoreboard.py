"""The committed figures are those of the targets, each beside what its target says that it must reach."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench, scoreboard
from benchmarks.figures import Row, Target
from benchmarks.targets import SCOREBOARD

_MEASURED = {"value", "command"}
_FILES = ((scoreboard.OUTPUT, SCOREBOARD, scoreboard.AREAS), (bench.OUTPUT, bench.TARGETS, bench.AREAS))
_IDS = [path.stem for path, *_ in _FILES]


@pytest.mark.parametrize(("path", "targets", "areas"), _FILES, ids=_IDS)
def test_every_target_is_of_an_area_that_is_measured(
    path: Path, targets: Sequence[Target], areas: Sequence[str]
) -> None:
    assert {target.area for target in targets} == set(areas), path


@pytest.mark.parametrize(("path", "targets", "areas"), _FILES, ids=_IDS)
def test_the_written_figures_are_those_of_the_targets(
    path: Path, targets: Sequence[Target], areas: Sequence[str]
) -> None:
    written = {_name(row): row for row in json.loads(path.read_text(encoding="utf-8"))}
    wanted = {_name(row): row for row in (Row(target=each, value=0.0, command="").as_json() for each in targets)}
    assert len(wanted) == len(targets), "two targets have one name"
    optional = {(target.area, target.figure, target.data) for target in targets if target.optional}
    missing = [name for name in wanted if name not in {*written, *optional}]
    assert not missing, f"measure these again, for {path} lacks them: {missing}"
    assert not [name for name in written if name not in wanted]
    assert {name: _stated(row) for name, row in written.items()} == {name: _stated(wanted[name]) for name in written}
    assert {name[0] for name in written} == set(areas)


def _name(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["area"], row["figure"], row["data"]


def _stated(row: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in row.items() if field not in _MEASURED}
