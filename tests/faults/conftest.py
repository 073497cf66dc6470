"""One system for all the faults, and the table of how long each took to recover."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.hosts import other_host
from tests.faults.system import RECOVERIES, System
from tests.servers import NoServerError, restartable_rabbitmq, restartable_redis


@pytest.fixture
def system(whole_system: System) -> System:
    """The whole system, whatever the test before has left of it."""
    whole_system.mend()
    return whole_system


@pytest.fixture(scope="session")
def whole_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """RabbitMQ, Redis, fusion, and the two workers that are soon ready."""
    try:
        with other_host() as host, ExitStack() as stack:
            addresses = [] if isinstance(host, str) else [host.ours]
            rabbitmq = stack.enter_context(restartable_rabbitmq(*addresses, config="loopback_users = none\n"))
            redis = stack.enter_context(restartable_redis())
            running = System(rabbitmq, redis, host, tmp_path_factory.mktemp("faults"))
            try:
                yield running
            finally:
                running.close()
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if RECOVERIES:
        terminalreporter.section("seconds to recover, until everything published was accounted for")
        for case, seconds in RECOVERIES:
            terminalreporter.write_line(f"{seconds:6.1f}  {case}")
