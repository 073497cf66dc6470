"""What must stay true of the tree itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from shared.emotions import MODALITIES, Modality

MODALITY_FILES = {
    "__main__.py",
    "worker.py",
    "scorer.py",
    "features.py",
    "model.py",
    "settings.py",
    "README.md",
    "MODEL_CARD.md",
}
SOURCES = sorted(path for room in ("shared", "services", "benchmarks") for path in Path(room).rglob("*.py"))


@pytest.mark.parametrize("modality", MODALITIES)
def test_modalities_are_alike(modality: Modality) -> None:
    folder = Path("services", modality)
    assert {path.name for path in folder.iterdir()} >= MODALITY_FILES | {"weights", "training"}


@pytest.mark.parametrize("service", ["capture", *MODALITIES, "fusion"])
def test_every_service_has_a_page(service: str) -> None:
    assert (Path("services") / service / "README.md").stat().st_size > 500


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 330
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    too_long = {node.name: length for node in functions if (length := (node.end_lineno or 0) - node.lineno + 1) > 50}
    assert not too_long


def test_serving_imports_neither_tensorflow_nor_training() -> None:
    code = (
        "import sys, services.embedded, services.cli.app, services.cli.analyze; "
        "unwanted = {'tensorflow', 'keras', 'torch', 'training'}; "
        "sys.exit(any(unwanted & set(name.split('.')[:3]) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_names_a_registry_or_carries_an_index() -> None:
    for lock in Path("deploy/requirements").glob("*.txt"):
        assert "http" not in "".join(line for line in lock.read_text().splitlines() if "--" in line)
        assert "index-url" not in lock.read_text()
