"""The broker in memory keeps the contract, and the time that it is given."""

from collections.abc import Callable, Iterator

import pytest

from shared.broker.memory import MemoryBroker, MemoryServer
from shared.broker.port import Broker, Cause
from tests.broker_house import KEY, TIMEOUT_S, Consumer, House, message, publish
from tests.contract.broker_contract import BrokerContract


class TestMemoryBroker(BrokerContract):
    @pytest.fixture
    def connect(self) -> Iterator[Callable[[], Broker]]:
        server = MemoryServer()
        brokers: list[MemoryBroker] = []

        def connect() -> Broker:
            brokers.append(MemoryBroker(server))
            return brokers[-1]

        yield connect
        for broker in brokers:
            broker.close()

    def test_time_is_the_clocks(self, house: House) -> None:
        now = [100.0]
        broker = MemoryBroker(MemoryServer(clock=lambda: now[0]))
        broker.declare(house.topology(message_ttl_ms=5_000))
        publish(broker, house, b"queue's time")
        broker.publish(house.exchange, KEY, message(b"own time", expiration_ms=2_000)).result(TIMEOUT_S)
        now[0] += 4.999
        assert broker.depth(house.queue) == 2, "what has expired goes when it is the oldest, as in RabbitMQ"
        now[0] += 0.001
        assert broker.depth(house.queue) == 0
        dead_letters = Consumer(broker, house.dead_queue)
        dead = [dead_letters.take(), dead_letters.take()]
        assert [d.message.body for d in dead] == [b"queue's time", b"own time"]
        assert [d.death.cause for d in dead if d.death] == [Cause.EXPIRED, Cause.EXPIRED]
        broker.close()

    def test_a_dead_letter_that_comes_back_where_it_died_is_dropped(self, house: House) -> None:
        now = [0.0]
        broker = MemoryBroker(MemoryServer(clock=lambda: now[0]))
        broker.declare(house.topology(message_ttl_ms=1_000, dead_letter_exchange=house.exchange))
        publish(broker, house, b"round and round")
        depths = []
        for _ in range(3):
            depths.append(broker.depth(house.queue))
            now[0] += 1.0
        assert depths == [1, 1, 0]
        broker.close()
