"""Fixtures that every kind of test may use."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar
from uuid import uuid4

import hypothesis
import pytest

from tests import reports, servers

T = TypeVar("T")


@pytest.fixture(scope="session", autouse=True)
def _terminals_that_hang_up() -> None:
    """Tests that run under ``nohup`` would hand on to what they start that nothing hangs up."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[servers.RabbitMqServer]:
    """A RabbitMQ that all tests share; they keep apart by the names of their queues, or by a virtual host."""
    with _available(servers.rabbitmq()) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq_server: servers.RabbitMqServer) -> str:
    """The URL of the shared RabbitMQ."""
    return rabbitmq_server.url


@pytest.fixture
def rabbitmq_vhost_url(rabbitmq_server: servers.RabbitMqServer) -> Iterator[str]:
    """The URL of an empty virtual host of its own; of a server that is not ours, the URL as it was given."""
    if rabbitmq_server.environment is None:
        yield rabbitmq_server.url
        return
    vhost = f"test-{uuid4().hex}"
    rabbitmq_server.ctl("add_vhost", vhost)
    rabbitmq_server.ctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
    yield rabbitmq_server.url.replace("/%2F", f"/{vhost}")
    rabbitmq_server.ctl("delete_vhost", vhost)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis that all tests share."""
    with _available(servers.redis()) as url:
        yield url


@pytest.fixture
def process_as_it_was() -> Iterator[None]:
    """Undo what running a worker in this process does to its signals and its logs."""
    numbers, root = (signal.SIGTERM, signal.SIGINT), logging.getLogger()
    handlers, level, logged_to = [signal.getsignal(number) for number in numbers], root.level, root.handlers[:]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
    root.setLevel(level)
    root.handlers[:] = logged_to


# How long one example takes says more about what else the machine does than about us.
hypothesis.settings.register_profile("mien", deadline=None)
hypothesis.settings.load_profile("mien")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    said = [report for group in terminalreporter.stats.values() for report in group]
    if table := reports.recoveries(said):
        terminalreporter.section("seconds to recover, until everything published was accounted for")
        for case, seconds in table:
            terminalreporter.write_line(f"{seconds:6.1f}  {case}")
    for reason in reports.missing_servers(said):
        terminalreporter.write_line(f"NOT TESTED, {reason}.", red=True, bold=True)


@contextmanager
def _available(server: AbstractContextManager[T]) -> Iterator[T]:
    """Enter a server; where there is none, the test skips, and fails in CI."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(server)
        except servers.NoServerError as error:
            if os.environ.get("CI"):
                pytest.fail(str(error))
            pytest.skip(f"{reports.NO_SERVER}{error}")
        yield running
