"""The session store keeps its contract, on Redis and on ``fakeredis``."""

from collections.abc import Iterator

import fakeredis
import pytest
import redis

from services.fusion.store import SessionStore, connect
from tests.contract.store_contract import SessionStoreContract


class TestFakeRedis(SessionStoreContract):
    @pytest.fixture
    def client(self) -> Iterator["redis.Redis"]:
        client = fakeredis.FakeRedis(decode_responses=True)
        yield client
        client.close()

    @pytest.fixture
    def impatient_client(self) -> Iterator["redis.Redis"]:
        client = fakeredis.FakeRedis(decode_responses=True, socket_timeout=1.0)
        yield client
        client.close()


class TestRedis(SessionStoreContract):
    @pytest.fixture
    def client(self, redis_url: str) -> Iterator["redis.Redis"]:
        client = connect(redis_url)
        yield client
        client.close()

    @pytest.fixture
    def impatient_client(self, redis_url: str) -> Iterator["redis.Redis"]:
        client = redis.Redis.from_url(redis_url, decode_responses=True, socket_timeout=1.0)
        yield client
        client.close()


def test_a_client_that_does_not_decode_is_refused() -> None:
    with pytest.raises(ValueError, match="decode_responses"):
        SessionStore(fakeredis.FakeRedis())
