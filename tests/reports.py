"""What a run of the tests tells at its end, read off the reports, which come from whichever process ran the test."""

from collections.abc import Iterable, Iterator
from typing import Final, cast

import pytest

NO_SERVER: Final = "no real server: "
"""How the reason of a test begins that was skipped because there is no server."""

RECOVERY: Final = "recovery"
"""Name of a test's property that holds what had happened and the seconds to recover from it."""


def missing_servers(reports: Iterable[object]) -> list[str]:
    """Return why tests were skipped that need a real server, each reason once."""
    reasons = {reason for reason in _reasons(reports) if NO_SERVER in reason}
    return sorted(reason.removeprefix("Skipped: ") for reason in reasons)


def recoveries(reports: Iterable[object]) -> list[tuple[str, float]]:
    """Return each case that a test recovered from, with the seconds that it took."""
    return [
        (str(value[0]), float(value[1]))
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "teardown"
        for key, value in cast("list[tuple[str, tuple[str, float]]]", report.user_properties)
        if key == RECOVERY
    ]


def _reasons(reports: Iterable[object]) -> Iterator[str]:
    """Yield why each skipped test was."""
    for report in reports:
        if isinstance(report, pytest.TestReport) and report.skipped and isinstance(report.longrepr, tuple):
            yield report.longrepr[2]
