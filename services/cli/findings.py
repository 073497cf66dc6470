"""What ``mien doctor`` found, and how it is shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


class State(StrEnum):
    """How something stands."""

    GOOD = "good"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        subject: What was looked at.
        state: How it stands.
        finding: What was seen, and where it is not good what to do about it.
    """

    subject: str
    state: State
    finding: str


def show(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Print the findings, and return the exit code: 1 where something must be mended."""
    failed = any(finding.state is State.FAILED for finding in findings)
    if as_json:
        typer.echo(json.dumps({"healthy": not failed, "findings": [asdict(finding) for finding in findings]}))
        return int(failed)
    colours = {State.GOOD: "green", State.WARNING: "yellow", State.FAILED: "bold red", State.SKIPPED: "dim"}
    table = Table("", "state", "finding", box=None)
    for finding in findings:
        table.add_row(finding.subject, Text(finding.state, style=colours[finding.state]), Text(finding.finding))
    console = Console(highlight=False)
    console.print(table)
    console.print("[bold red]Something must be mended.[/]" if failed else "[green]Nothing must be mended.[/]")
    return int(failed)
