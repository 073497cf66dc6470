"""What the tests of the brokers share: queues of their own, a patient consumer, messages."""

from dataclasses import replace
from datetime import UTC, datetime
from queue import Queue as Inbox
from time import monotonic
from uuid import uuid4

from shared.broker.port import Broker, Delivery
from shared.messages.message import Message
from shared.topology import Binding, Queue, Topology

TIMEOUT_S = 30.0
KEY = "speech.chunk"


class House:
    """Exchanges and queues whose names nobody else uses: one for live messages, one for dead ones."""

    def __init__(self) -> None:
        unique = uuid4().hex
        self.exchange = f"media.{unique}"
        self.dead_exchange = f"dead-exchange.{unique}"
        self.queue = f"work.{unique}"
        self.dead_queue = f"dead.{unique}"

    def topology(self, pattern: str = "#", **options: object) -> Topology:
        queue = Queue(
            name=self.queue,
            bindings=(Binding(exchange=self.exchange, pattern=pattern),),
            dead_letter_exchange=self.dead_exchange,
        )
        dead = Queue(
            name=self.dead_queue,
            bindings=(Binding(exchange=self.dead_exchange, pattern="#"),),
            dead_letter_exchange=None,
        )
        return Topology(
            exchanges=(self.exchange, self.dead_exchange),
            queues=(replace(queue, **options), dead),  # type: ignore[arg-type]
        )

    def plus(self, topology: Topology, suffix: str, *patterns: str) -> Topology:
        bindings = tuple(Binding(exchange=self.exchange, pattern=pattern) for pattern in patterns)
        queue = Queue(name=self.queue + suffix, bindings=bindings, dead_letter_exchange=None)
        return replace(topology, queues=(*topology.queues, queue))


class Consumer:
    """Keeps what comes until the test takes it."""

    def __init__(self, broker: Broker, queue: str, prefetch: int = 100) -> None:
        self.inbox: Inbox[Delivery] = Inbox()
        self.subscription = broker.consume(queue, self.inbox.put, prefetch)

    def take(self) -> Delivery:
        return self.inbox.get(timeout=TIMEOUT_S)

    def take_bodies(self, count: int) -> list[bytes]:
        """Take and acknowledge."""
        bodies = []
        for _ in range(count):
            delivery = self.take()
            bodies.append(delivery.message.body)
            delivery.ack()
        return bodies


def message(body: bytes = b"body", *, expiration_ms: int | None = None) -> Message:
    return Message(
        type=KEY,
        body=body,
        content_type="audio/flac",
        message_id=str(uuid4()),
        correlation_id="session-1",
        timestamp=datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC),
        headers={"seq": 7, "name": "Łódź ☺", "big": 2**53, "negative": -5, "yes": True, "no": False},
        expiration_ms=expiration_ms,
    )


def publish(broker: Broker, house: House, *bodies: bytes) -> None:
    """Publish and wait for the confirms."""
    for future in [broker.publish(house.exchange, KEY, message(body)) for body in bodies]:
        future.result(TIMEOUT_S)


def await_consumers(broker: Broker, queue: str, count: int) -> None:
    """Ask until a queue has so many consumers: the broker learns of them on other channels than ours."""
    deadline = monotonic() + TIMEOUT_S
    while (found := broker.consumers(queue)) != count:
        assert monotonic() < deadline, found
