"""The RabbitMQ adapter keeps the contract."""

import errno
import itertools
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pika
import pytest
from pika.adapters.utils import connection_workflow
from pydantic import SecretStr

from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitMqBroker
from shared.settings import BrokerSettings
from tests.broker_house import KEY, Consumer, House
from tests.contract.broker_contract import BrokerContract
from tests.servers import free_port


def _nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = b"A" + struct.pack(">I", len(inner)) + inner
    return inner


ODD_TABLES: Final = {
    "a date in milliseconds": b"\x01aT" + struct.pack(">Q", 1_700_000_000_000),
    "a date beyond all": b"\x01aT" + struct.pack(">Q", 2**62),
    "a nest": b"\x01a" + _nested(5000),
}


class Raw(pika.BasicProperties):
    """Properties with a table of headers as somebody else wrote it."""

    def __init__(self, table: bytes) -> None:
        super().__init__()
        self._table = table

    def encode(self) -> list[bytes]:
        return [struct.pack(">HI", self.FLAG_HEADERS, len(self._table)), self._table]


class TestRabbitMqBroker(BrokerContract):
    @pytest.fixture
    def connect(self, rabbitmq_url: str) -> Iterator[Callable[[], Broker]]:
        brokers: list[RabbitMqBroker] = []

        def connect() -> Broker:
            brokers.append(RabbitMqBroker(rabbitmq_url))
            return brokers[-1]

        yield connect
        for broker in brokers:
            broker.close()

    @pytest.fixture
    def house(self, rabbitmq_url: str) -> Iterator[House]:
        house = House()
        yield house
        connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
        channel = connection.channel()
        for queue in (
            house.queue,
            house.dead_queue,
            *(house.queue + suffix for suffix in (".picky", ".twice", ".grave")),
        ):
            channel.queue_delete(queue)
        for exchange in (house.exchange, house.exchange + ".last", house.dead_exchange):
            channel.exchange_delete(exchange)
        connection.close()

    def test_a_foreign_message_still_arrives(self, broker: Broker, house: House, rabbitmq_url: str) -> None:
        broker.declare(house.topology())
        foreign = pika.BasicProperties(
            headers={"x-death": "nonsense", "table": {"a": 1}, "list": [1], "none": None, "bytes": b"\xff", "ok": 1}
        )
        connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
        connection.channel().basic_publish(house.exchange, KEY, b"\x00\xff", foreign)
        connection.close()
        delivery = Consumer(broker, house.queue).take()
        assert delivery.message.body == b"\x00\xff"
        assert (delivery.message.type, delivery.message.message_id, delivery.message.correlation_id) == ("", "", "")
        assert delivery.message.timestamp.timestamp() == 0
        assert delivery.message.headers == {"ok": 1}
        assert delivery.death is None


@pytest.mark.parametrize("table", ODD_TABLES.values(), ids=ODD_TABLES)
def test_headers_that_pika_cannot_read_cost_a_message_its_headers_alone(table: bytes) -> None:
    assert pika.BasicProperties().decode(b"".join(Raw(table).encode())).headers == {}


def test_an_attempt_for_which_there_is_no_socket_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Semaphore(0)
    count = itertools.count()

    class Sockets:
        """The module, but for one time at which the process has too many files open."""

        def __getattr__(self, name: str) -> Any:
            return getattr(socket, name)

        def socket(self, *how: Any) -> socket.socket:
            asked.release()
            if next(count) == 2:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return socket.socket(*how)

    monkeypatch.setattr(connection_workflow, "socket", Sockets())
    url = f"amqp://guest:guest@127.0.0.1:{free_port()}/"
    broker = RabbitMqBroker(BrokerSettings(url=SecretStr(url), reconnect_max_s=0.05))
    try:
        assert all(asked.acquire(timeout=20) for _ in range(6))
    finally:
        broker.close()
