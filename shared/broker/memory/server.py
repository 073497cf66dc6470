"""Exchanges and queues in memory: routing, expiry, limits and dead letters as RabbitMQ does them."""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import pika

from shared.broker.amqp import FIRST_DEATH_EXCHANGE, FIRST_DEATH_QUEUE, FIRST_DEATH_REASON
from shared.broker.port import Cause
from shared.errors import BrokerError
from shared.topology import Queue, Topology

Words = tuple[str, ...]


@lru_cache(maxsize=4096)
def matches(pattern: str, routing_key: str) -> bool:
    """Say whether a topic pattern takes a routing key: ``*`` is one word, ``#`` any number of words."""
    return _match(tuple(pattern.split(".")), tuple(routing_key.split(".")))


def _match(pattern: Words, key: Words) -> bool:
    if not pattern:
        return not key
    if pattern[0] == "#":
        return _match(pattern[1:], key) or (bool(key) and _match(pattern, key[1:]))
    return bool(key) and pattern[0] in ("*", key[0]) and _match(pattern[1:], key[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message as the wire carries it.

    Attributes:
        exchange: The exchange that it was published to.
        routing_key: Its routing key.
        properties: Its encoded properties.
        body: Its body.
        died_in: The queues in which it has died of itself, so that it does not go round for ever.
    """

    exchange: str
    routing_key: str
    properties: bytes
    body: bytes
    died_in: frozenset[str] = frozenset()


@dataclass(slots=True, order=True)
class Item:
    """One place in a queue; ordered by arrival.

    Attributes:
        position: Counts the arrivals of the queue.
        envelope: The message.
        expires_at: When it dies, by the server's clock, or None.
        returns: How often it came back from a consumer.
    """

    position: int
    envelope: Envelope = field(compare=False)
    expires_at: float | None = field(compare=False)
    returns: int = field(default=0, compare=False)


@dataclass(slots=True)
class MemoryQueue:
    """A queue and what waits in it.

    Attributes:
        spec: How it was declared.
        ready: A heap of what waits, the oldest first.
        arrivals: How many messages ever came.
        consumers: How many take from it now.
    """

    spec: Queue
    ready: list[Item] = field(default_factory=list)
    arrivals: int = 0
    consumers: int = 0


class MemoryServer:
    """What brokers in memory connect to; several may share one, as several processes share a RabbitMQ.

    Every method but the constructor needs ``changed`` held.

    Attributes:
        changed: Guards everything, and tells consumers that something may have become ready.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        Args:
            clock: Seconds; what expires, expires by it.
        """
        self.changed = threading.Condition()
        self._clock = clock
        self._queues: dict[str, MemoryQueue] = {}
        self._bindings: dict[str, dict[str, set[str]]] = {}

    def declare(self, topology: Topology) -> None:
        """Make sure that the exchanges, queues and bindings exist.

        Raises:
            BrokerError: If a queue exists with other arguments or is bound to an exchange that does not exist.
        """
        for exchange in topology.exchanges:
            self._bindings.setdefault(exchange, {})
        for spec in topology.queues:
            queue = self._queues.setdefault(spec.name, MemoryQueue(spec))
            if replace(queue.spec, bindings=()) != replace(spec, bindings=()):
                raise BrokerError(f"queue {spec.name!r} exists with other arguments; delete it or declare it as it is")
            for binding in spec.bindings:
                if binding.exchange not in self._bindings:
                    raise BrokerError(f"exchange {binding.exchange!r} does not exist; declare it first")
                self._bindings[binding.exchange].setdefault(spec.name, set()).add(binding.pattern)

    def queue(self, name: str) -> MemoryQueue:
        """Return a queue by its name, rid of what has expired.

        Raises:
            BrokerError: If it does not exist.
        """
        if name not in self._queues:
            raise BrokerError(f"queue {name!r} does not exist; declare it first")
        self._expire()
        return self._queues[name]

    def route(self, envelope: Envelope) -> bool:
        """Put a message into every queue that takes it, and say whether any did."""
        bindings = self._bindings.get(envelope.exchange, {})
        takers = [
            self._queues[name]
            for name, patterns in bindings.items()
            if any(matches(pattern, envelope.routing_key) for pattern in patterns)
        ]
        for queue in takers:
            self._put(queue, envelope)
        self.changed.notify_all()
        return bool(takers)

    def put_back(self, queue: MemoryQueue, item: Item) -> None:
        """Take back an item that was delivered and not used, to where it was, until the delivery limit."""
        item.returns += 1
        limit = queue.spec.delivery_limit
        if limit is not None and item.returns > limit:
            self.bury(queue, item, Cause.DELIVERY_LIMIT)
        else:
            heapq.heappush(queue.ready, item)
            self._shorten(queue)
        self.changed.notify_all()

    def bury(self, queue: MemoryQueue, item: Item, cause: Cause) -> None:
        """Send an item that is out of its queue to the queue's dead-letter exchange, or forget it."""
        spec, envelope = queue.spec, item.envelope
        if spec.dead_letter_exchange is None or (cause is not Cause.REJECTED and spec.name in envelope.died_in):
            return
        properties = pika.BasicProperties().decode(envelope.properties)
        first = {
            FIRST_DEATH_QUEUE: spec.name,
            FIRST_DEATH_REASON: cause.value,
            FIRST_DEATH_EXCHANGE: envelope.exchange,
        }
        properties.headers, properties.expiration = {**first, **(properties.headers or {})}, None
        dead = replace(
            envelope,
            exchange=spec.dead_letter_exchange,
            properties=b"".join(properties.encode()),
            died_in=envelope.died_in | {spec.name},
        )
        self.route(dead)

    def wait(self) -> None:
        """Wait until something changes or the next item expires."""
        self._expire()
        heads = [queue.ready[0].expires_at for queue in self._queues.values() if queue.ready]
        next_expiry = min((at for at in heads if at is not None), default=None)
        self.changed.wait(None if next_expiry is None else max(0.0, next_expiry - self._clock()))

    def _put(self, queue: MemoryQueue, envelope: Envelope) -> None:
        queue.arrivals += 1
        heapq.heappush(queue.ready, Item(queue.arrivals, envelope, self._expiry(queue, envelope)))
        self._shorten(queue)

    def _expiry(self, queue: MemoryQueue, envelope: Envelope) -> float | None:
        own = pika.BasicProperties().decode(envelope.properties).expiration
        lives = [ms for ms in (queue.spec.message_ttl_ms, None if own is None else int(own)) if ms is not None]
        return self._clock() + min(lives) / 1000 if lives else None

    def _shorten(self, queue: MemoryQueue) -> None:
        limit = queue.spec.max_length
        while limit is not None and len(queue.ready) > limit:
            self.bury(queue, heapq.heappop(queue.ready), Cause.MAXLEN)

    def _expire(self) -> None:
        now = self._clock()
        for queue in self._queues.values():
            while queue.ready and (at := queue.ready[0].expires_at) is not None and at <= now:
                self.bury(queue, heapq.heappop(queue.ready), Cause.EXPIRED)
