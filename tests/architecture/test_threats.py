"""The threat model names the test that holds each threat, and each of them is there."""

import ast
import re
from pathlib import Path

import pytest

MODEL = Path("deploy/threat-model.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", MODEL)
ROWS = [line for line in MODEL.splitlines() if line.startswith("|")][2:]


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_a_named_test_is_there(path: str, name: str) -> None:
    assert name in _tests_in(Path(path))


def test_every_threat_names_a_test() -> None:
    assert len(ROWS) >= 20
    assert [row for row in ROWS if "::" not in row.rsplit("|", 2)[-2]] == []
