"""A measured figure beside what it must reach, and the table and the file that hold them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

Evaluation = Callable[[], Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure is compared with.

    Attributes:
        area: The part of the system: text, audio, face, fusion, system.
        key: Its name in what the area's evaluation returns.
        figure: Its name in words.
        unit: Its unit; empty for a ratio or a correlation.
        better: Which way is better.
        must: What it has to reach.
        aim: What it should reach.
        reference: What peers and people reach, by name.
        data: What it is measured on.
        optional: Whether an evaluation may leave it out, as where a peer that it is compared with cannot be installed.
    """

    area: str
    key: str
    figure: str
    data: str
    unit: str = ""
    better: Literal["higher", "lower"] = "higher"
    must: float | None = None
    aim: float | None = None
    reference: dict[str, float] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A target and what was measured.

    Attributes:
        target: What was measured.
        value: The measured figure.
        command: What prints it.
    """

    target: Target
    value: float
    command: str

    def reaches(self, goal: float | None) -> bool:
        """Return whether the value reaches a goal; what has no goal reaches it."""
        if goal is None:
            return True
        return self.value >= goal if self.target.better == "higher" else self.value <= goal

    def as_json(self) -> dict[str, Any]:
        """Return the row in the shape of the written file."""
        fields = asdict(self.target)
        del fields["key"], fields["optional"]
        return {**fields, "value": self.value, "command": self.command}


def measure(
    targets: Sequence[Target], evaluations: Mapping[str, Evaluation], command: str, area: str | None
) -> list[Row]:
    """Run each area's evaluation once and return its rows.

    Args:
        targets: Which figures to report.
        evaluations: What measures an area, by area.
        command: The make target that prints them.
        area: Only this area, or None for all.

    Raises:
        LookupError: If an evaluation leaves out a figure that it must measure, for a target without a figure is missed
            by nobody.
    """
    rows: list[Row] = []
    for name, evaluate in evaluations.items():
        if area not in {None, name}:
            continue
        values = evaluate()
        wanted = [target for target in targets if target.area == name]
        missing = sorted({target.key for target in wanted if target.key not in values and not target.optional})
        if missing:
            raise LookupError(f"The evaluation of {name} measures no {', '.join(missing)}: mend its targets' keys.")
        rows += [
            Row(target=target, value=values[target.key], command=f"make {command} AREA={name}")
            for target in wanted
            if target.key in values
        ]
    return rows


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write rows, keeping those of areas that were not measured this time."""
    measured = {row.target.area for row in rows}
    before = json.loads(path.read_text()) if path.is_file() else []
    kept = [row for row in before if row["area"] not in measured]
    path.write_text(json.dumps([*kept, *(row.as_json() for row in rows)], indent=2, ensure_ascii=False) + "\n")


def print_rows(rows: Sequence[Row], title: str) -> None:
    """Print rows as a table: green reaches its aim, red does not reach what it must."""
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("area")
    table.add_column("figure")
    for column in ("value", "must", "aim"):
        table.add_column(column, justify="right")
    table.add_column("peers and people")
    for row in rows:
        target = row.target
        beside = ", ".join(f"{who} {_number(value)}" for who, value in target.reference.items())
        value = f"[{_colour(row)}]{_number(row.value)}[/] {target.unit}".strip()
        table.add_row(target.area, target.figure, value, _number(target.must), _number(target.aim), beside)
    Console().print(table)


def _colour(row: Row) -> str:
    if not row.reaches(row.target.must):
        return "bold red"
    return "green" if row.reaches(row.target.aim) else "default"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
