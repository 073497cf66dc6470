"""What the RabbitMQ adapter does when the connection breaks, never comes, or is blocked."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from time import monotonic
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest
from pydantic import SecretStr

from shared.broker.port import Delivery
from shared.broker.rabbitmq import RabbitMqBroker
from shared.errors import BrokerError
from shared.settings import BrokerSettings
from tests.broker_house import KEY, TIMEOUT_S, Consumer, House, message, publish
from tests.servers import RabbitMqServer, free_port
from tests.wire import Wire


@pytest.fixture
def wire(rabbitmq_url: str) -> Iterator[Wire]:
    wire = Wire(rabbitmq_url)
    yield wire
    wire.close()


@pytest.fixture
def broker(wire: Wire) -> Iterator[RabbitMqBroker]:
    broker = RabbitMqBroker(BrokerSettings(url=SecretStr(wire.url), reconnect_max_s=0.2))
    yield broker
    broker.close()


@pytest.fixture
def admin(rabbitmq_url: str) -> Iterator[pika.BlockingConnection]:
    """A connection that is never cut."""
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
    yield connection
    connection.close()


@pytest.fixture
def house(admin: pika.BlockingConnection) -> Iterator[House]:
    house = House()
    yield house
    remove(admin, house)


def remove(admin: pika.BlockingConnection, house: House) -> None:
    channel = admin.channel()
    for queue in (house.queue, house.dead_queue):
        channel.queue_delete(queue)
    for exchange in (house.exchange, house.dead_exchange):
        channel.exchange_delete(exchange)


def drain(consumer: Consumer, expected: set[bytes]) -> list[Delivery]:
    """Take and acknowledge until everything expected has come; what is delivered twice is returned twice."""
    missing, deliveries = set(expected), []
    while missing:
        deliveries.append(consumer.take())
        missing.discard(deliveries[-1].message.body)
        deliveries[-1].ack()
    return deliveries


class Bell(logging.Handler):
    """Rings when a logger says something."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._logger = logging.getLogger(name)
        self._rung = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self._rung.set()

    def __enter__(self) -> threading.Event:
        self._logger.addHandler(self)
        return self._rung

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)


def test_no_publish_is_lost_when_the_connection_breaks(broker: RabbitMqBroker, house: House, wire: Wire) -> None:
    broker.declare(house.topology())
    bodies = [b"%d" % i for i in range(1000)]
    futures: list[Future[None]] = []
    for i, body in enumerate(bodies):
        futures.append(broker.publish(house.exchange, KEY, message(body)))
        if i in (200, 500, 800):
            futures[i - 100].result(TIMEOUT_S)
            wire.cut_once()
    assert wait(futures, TIMEOUT_S).not_done == set()
    assert [future.exception() for future in futures] == [None] * 1000
    deliveries = drain(Consumer(broker, house.queue), set(bodies))
    assert list(dict.fromkeys(d.message.body for d in deliveries)) == bodies
    assert len({d.message.message_id for d in deliveries}) == 1000, "what is sent again keeps its message_id"


def test_publishes_without_a_connection_wait_for_it(broker: RabbitMqBroker, house: House, wire: Wire) -> None:
    broker.declare(house.topology())
    wire.cut()
    futures = [broker.publish(house.exchange, KEY, message(b"%d" % i)) for i in range(100)]
    assert not any(future.done() for future in futures[1:])
    wire.mend()
    assert wait(futures, TIMEOUT_S).not_done == set()
    consumer = Consumer(broker, house.queue)
    assert consumer.take_bodies(100) == [b"%d" % i for i in range(100)]


def test_a_consumer_goes_on_and_what_it_had_comes_again(broker: RabbitMqBroker, house: House, wire: Wire) -> None:
    broker.declare(house.topology())
    consumer = Consumer(broker, house.queue, prefetch=2)
    publish(broker, house, b"0", b"1", b"2")
    stale = [consumer.take(), consumer.take()]
    wire.cut_once()
    again = [consumer.take(), consumer.take()]
    assert {d.message.body for d in again} == {b"0", b"1"}
    assert all(d.redelivered for d in again)
    for delivery in stale:
        delivery.ack()
    assert broker.depth(house.queue) == 1, "a settlement of the old connection settles nothing of the new one"
    for delivery in again:
        delivery.ack()
    assert consumer.take().message.body == b"2"


def test_a_broker_that_came_back_empty_is_furnished_again(
    broker: RabbitMqBroker, house: House, wire: Wire, admin: pika.BlockingConnection
) -> None:
    broker.declare(house.topology())
    consumer = Consumer(broker, house.queue)
    wire.cut()
    remove(admin, house)
    future = broker.publish(house.exchange, KEY, message(b"after"))
    wire.mend()
    future.result(TIMEOUT_S)
    assert consumer.take().message.body == b"after"


def test_a_consumer_outlives_its_queue(broker: RabbitMqBroker, house: House, admin: pika.BlockingConnection) -> None:
    broker.declare(house.topology())
    consumer = Consumer(broker, house.queue)
    with Bell("shared.broker.rabbitmq.consumer") as noticed:
        admin.channel().queue_delete(house.queue)
        assert noticed.wait(TIMEOUT_S)
    broker.declare(house.topology())
    publish(broker, house, b"after")
    assert consumer.take().message.body == b"after"


def test_closing_without_a_connection_is_bounded_and_fails_what_waits(house: House, wire: Wire) -> None:
    settings = BrokerSettings(url=SecretStr(wire.url), close_timeout_s=0.2, reconnect_max_s=0.2)
    broker = RabbitMqBroker(settings)
    broker.declare(house.topology())
    wire.cut()
    future = broker.publish(house.exchange, KEY, message())
    started = monotonic()
    broker.close()
    assert monotonic() - started < 10
    with pytest.raises(BrokerError):
        future.result(0)


def test_closing_while_connecting_is_quick(caplog: pytest.LogCaptureFixture) -> None:
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = RabbitMqBroker(f"amqp://127.0.0.1:{silent.getsockname()[1]}/")
        peer, _ = silent.accept()
        with peer:
            assert peer.recv(8) == b"AMQP\x00\x00\x09\x01"
            started = monotonic()
            broker.close()
    assert monotonic() - started < 3
    assert set(threading.enumerate()) <= before
    assert "Traceback" not in caplog.text


def test_nothing_listening_is_said_clearly() -> None:
    port = free_port()
    settings = BrokerSettings(url=SecretStr(f"amqp://user:secret@127.0.0.1:{port}/"), connect_timeout_s=0.5)
    broker = RabbitMqBroker(settings)
    future = broker.publish("exchange", KEY, message())
    with pytest.raises(BrokerError, match=rf"cannot reach RabbitMQ at 127\.0\.0\.1:{port}") as caught:
        broker.declare(House().topology())
    assert "secret" not in str(caught.value)
    broker.close()
    with pytest.raises(BrokerError):
        future.result(0)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda parts: parts._replace(netloc=f"guest:secret@{parts.hostname}:{parts.port}"), "password"),
        (lambda parts: parts._replace(path="/no-such-vhost"), "virtual host"),
    ],
)
def test_a_refusal_is_final_and_said_at_once(rabbitmq_url: str, change: Callable[..., object], what: str) -> None:
    url = urlunsplit(change(urlsplit(rabbitmq_url)))  # type: ignore[call-overload]
    broker = RabbitMqBroker(BrokerSettings(url=SecretStr(url), connect_timeout_s=600))
    future = broker.publish("exchange", KEY, message())
    with pytest.raises(BrokerError, match=what) as caught:
        broker.declare(House().topology())
    assert "secret" not in str(caught.value)
    with pytest.raises(BrokerError):
        future.result(TIMEOUT_S)
    with pytest.raises(BrokerError):
        broker.publish("exchange", KEY, message()).result(0)
    broker.close()


def test_publishes_wait_while_rabbitmq_is_short_of_memory(
    broker: RabbitMqBroker, house: House, rabbitmq_server: RabbitMqServer
) -> None:
    if rabbitmq_server.environment is None:
        pytest.skip("only a RabbitMQ of our own is made short of memory")
    broker.declare(house.topology())
    rabbitmq_server.ctl("set_vm_memory_high_watermark", "0.000001")
    try:
        futures = [broker.publish(house.exchange, KEY, message(b"%d" % i)) for i in range(50)]
        deadline = monotonic() + TIMEOUT_S
        while not broker.blocked and monotonic() < deadline:
            wait(futures, 0.05)
        seen = broker.blocked, any(future.done() for future in futures)
    finally:
        rabbitmq_server.ctl("set_vm_memory_high_watermark", "0.4")
    assert seen == (True, False)
    assert wait(futures, TIMEOUT_S).not_done == set()
    assert not broker.blocked
    assert broker.depth(house.queue) == 50
