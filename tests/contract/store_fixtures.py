"""What every part of the contract of the store stands on."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from services.fusion.store import SessionStore


class StoreTest:
    """The fixtures; a server gives ``client`` and ``impatient_client``."""

    @pytest.fixture
    def client(self) -> Iterator["redis.Redis"]:
        """Return the server to keep the promises."""
        raise NotImplementedError

    @pytest.fixture
    def impatient_client(self) -> Iterator["redis.Redis"]:
        """Return a client of the same kind that gives a connection up after a second of silence."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, client: "redis.Redis") -> SessionStore:
        return SessionStore(client)

    @pytest.fixture
    def session_id(self, store: SessionStore) -> Iterator[str]:
        session_id = f"session-{uuid4()}"
        yield session_id
        store.erase(session_id)
