"""What is measured meets its targets, and a target that nothing measures is told."""

import json
from pathlib import Path

import pytest

from benchmarks.figures import Target, measure, write_rows

MAE = Target(area="voice", key="mae", figure="error", data="a set", better="lower", must=0.25)
PEER = Target(area="voice", key="peer", figure="a peer's error", data="a set", optional=True)
OTHER = Target(area="face", key="r", figure="correlation", data="a set", must=0.9)


def test_every_target_has_its_figure() -> None:
    rows = measure((MAE, PEER, OTHER), {"voice": lambda: {"mae": 0.3, "peer": 0.5}}, "scoreboard", None)
    assert [(row.target.key, row.value, row.reaches(row.target.must)) for row in rows] == [
        ("mae", 0.3, False),
        ("peer", 0.5, True),
    ]


def test_a_target_that_nothing_measures_is_an_error() -> None:
    with pytest.raises(LookupError, match="voice measures no mae"):
        measure((MAE, OTHER), {"voice": lambda: {"mea": 0.1}}, "scoreboard", "voice")


def test_a_peer_that_cannot_be_installed_is_left_out() -> None:
    rows = measure((MAE, PEER), {"voice": lambda: {"mae": 0.2}}, "bench", None)
    assert [row.target for row in rows] == [MAE]


def test_measuring_one_area_keeps_the_rows_of_the_others(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    for area, value in (("voice", 0.2), ("face", 0.95), ("voice", 0.1)):
        evaluations = {"voice": lambda value=value: {"mae": value}, "face": lambda value=value: {"r": value}}
        write_rows(measure((MAE, OTHER), evaluations, "scoreboard", area), file)
    assert {row["figure"]: row["value"] for row in json.loads(file.read_text())} == {"correlation": 0.95, "error": 0.1}
