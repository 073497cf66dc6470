"""One system for all the faults; how long each took to recover goes into its report."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults.hosts import other_host
from tests.faults.system import RECOVERIES, System
from tests.reports import RECOVERY
from tests.servers import NoServerError, restartable_rabbitmq, restartable_redis


@pytest.fixture
def system(whole_system: System, record_property: Callable[[str, object], None]) -> Iterator[System]:
    """The whole system, whatever the test before has left of it; its recoveries go into the test's report."""
    whole_system.mend()
    yield whole_system
    while RECOVERIES:
        record_property(RECOVERY, RECOVERIES.pop(0))


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
