"""A session store in memory for whoever asks for one."""

import fakeredis
import pytest

from services.fusion.store import SessionStore
from tests.stores import memory_store


@pytest.fixture
def redis_server() -> fakeredis.FakeServer:
    """What keeps :func:`store`."""
    return fakeredis.FakeServer()


@pytest.fixture
def store(redis_server: fakeredis.FakeServer) -> SessionStore:
    """A store of its own."""
    return memory_store(redis_server)
