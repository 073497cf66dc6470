"""A session store and a broker in memory for whoever asks for one."""

from collections.abc import Iterator

import fakeredis
import pytest

from services.fusion.store import SessionStore
from shared.broker.memory import MemoryBroker
from shared.topology import TOPOLOGY
from tests.stores import memory_store


@pytest.fixture
def redis_server() -> fakeredis.FakeServer:
    """What keeps :func:`store`."""
    return fakeredis.FakeServer()


@pytest.fixture
def store(redis_server: fakeredis.FakeServer) -> SessionStore:
    """A store of its own."""
    return memory_store(redis_server)


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    """A broker of its own, with every queue of ours."""
    broker = MemoryBroker()
    broker.declare(TOPOLOGY)
    yield broker
    broker.close()
