"""What must know every modality does: who adds one is told here what is still missing."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.fusion.parameters import DEFAULT_PARAMETERS
from shared.emotions import MODALITIES, Modality
from shared.sessions import hears, sees

GUIDE = Path("CONTRIBUTING.md")

# A file that no other test holds to the modalities, and the words in it that name one.
PLACES = {
    "services/fusion/dashboard/index.html": 'name="modality" value="{}"',
    "services/fusion/dashboard/view.js": '{}: "',
    "services/fusion/dashboard/charts.js": '{}: "',
    "services/fusion/dashboard/style.css": "--{}:",
    "deploy/monitoring/prometheus.yml": "job_name: {}\n",
    "deploy/requirements/lock.sh": " {} ",
    "Makefile": " {} ",
    "pyproject.toml": '"services.{}.worker"',
}


def tables() -> Iterator[tuple[str, ast.Dict]]:
    """Give each table of a module whose keys are all modalities, and where it stands."""
    for room in ("shared", "services"):
        for path in sorted(Path(room).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                table = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
                if isinstance(table, ast.Dict) and table.keys and all(map(is_modality, table.keys)):
                    yield f"{path}:{node.lineno}", table


def is_modality(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Attribute) and isinstance(key.value, ast.Name) and key.value.id == Modality.__name__


TABLES = dict(tables())


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_of_modalities_has_all_of_them(table: ast.Dict) -> None:
    named = [key.attr for key in table.keys if isinstance(key, ast.Attribute)]
    assert sorted(named) == sorted(modality.name for modality in MODALITIES)


def test_there_are_tables() -> None:
    assert len(TABLES) > 3


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_modality_reads_sound_or_pictures(modality: Modality) -> None:
    assert hears([modality]) or sees([modality])


def test_fusion_has_numbers_for_every_modality() -> None:
    assert set(DEFAULT_PARAMETERS.modalities) == set(MODALITIES)


@pytest.mark.parametrize("place", PLACES)
def test_every_modality_is_named_where_it_must_be(place: str) -> None:
    text = Path(place).read_text(encoding="utf-8")
    assert not [modality for modality in MODALITIES if PLACES[place].format(modality) not in text]


def test_what_a_modality_needs_is_installed_by_an_extra() -> None:
    extras = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {*MODALITIES} <= {*extras} & {*extras["all"][0].removeprefix("mien[").removesuffix("]").split(",")}


def test_the_guide_names_every_place() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    files = {place.rpartition(":")[0] for place in TABLES} | set(PLACES)
    assert not [file for file in sorted(files) if f"`{file}`" not in guide]
