"""Fixtures that every kind of test may use."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar
from uuid import uuid4

import hypothesis
import pytest

from tests import servers

T = TypeVar("T")

_MISSING = pytest.StashKey[set[str]]()


@pytest.fixture(scope="session")
def rabbitmq_server(request: pytest.FixtureRequest) -> Iterator[servers.RabbitMqServer]:
    """A RabbitMQ that all tests share; they keep apart by the names of their queues, or by a virtual host."""
    with _available(servers.rabbitmq(), request.config) as server:
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
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a Redis that all tests share."""
    with _available(servers.redis(), request.config) as url:
        yield url


# How long one example takes says more about what else the machine does than about us.
hypothesis.settings.register_profile("mien", deadline=None)
hypothesis.settings.load_profile("mien")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_MISSING] = set()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    missing = config.stash[_MISSING]
    for reason in sorted(missing):
        terminalreporter.write_line(f"NOT TESTED against a real server: {reason}.", red=True, bold=True)


@contextmanager
def _available(server: AbstractContextManager[T], config: pytest.Config) -> Iterator[T]:
    """Enter a server; where there is none, the test skips, and fails in CI."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(server)
        except servers.NoServerError as error:
            config.stash[_MISSING].add(str(error))
            if os.environ.get("CI"):
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield running
