"""The broker port over RabbitMQ 3.10 and later."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

import pika
from pika import spec
from pydantic import SecretStr

from shared.broker.port import Delivery
from shared.broker.rabbitmq import channels
from shared.broker.rabbitmq.consumer import RabbitMqSubscription
from shared.broker.rabbitmq.failures import Answer
from shared.broker.rabbitmq.link import Link
from shared.broker.rabbitmq.publisher import Publisher
from shared.errors import BrokerError
from shared.messages.message import Message
from shared.settings import BrokerSettings
from shared.topology import Topology

log = logging.getLogger(__name__)


class RabbitMqBroker:
    """A connection to RabbitMQ; see :class:`~shared.broker.port.Broker`.

    The constructor returns at once and connects in the background. A user name or virtual host that RabbitMQ refuses on
    the first attempt is a failure for good; any other trouble is met by trying again.
    """

    def __init__(self, settings: BrokerSettings | str) -> None:
        """Start to connect.

        Args:
            settings: How to reach RabbitMQ, or just its URL.
        """
        self._settings = BrokerSettings(url=SecretStr(settings)) if isinstance(settings, str) else settings
        self._link = Link(self._settings)
        self._publisher = Publisher(self._link)
        self._topologies: list[Topology] = []
        self._subscriptions: list[RabbitMqSubscription] = []
        self._ready: pika.SelectConnection | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._link.start(self)

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._link.is_up

    @property
    def blocked(self) -> bool:
        """Whether RabbitMQ takes no publishes for want of memory or disk; they wait then."""
        return self._link.blocked

    def declare(self, topology: Topology) -> None:
        """Make sure that the exchanges, queues and bindings exist, now and after each reconnect.

        Where ``AMQP_DECLARE`` is off, they are the operator's to declare, and this only makes sure that we are let in.

        Raises:
            BrokerError: If RabbitMQ cannot be reached in time or refuses.
        """
        self._check_open()
        if not self._settings.declare:
            self._link.ask(channels.greet)
            return
        self._link.ask(lambda connection, answer: channels.declare(connection, [topology], answer))
        self._link.call(lambda: self._remember(topology))

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        """Send a message and return at once; while there is no connection, it waits.

        Returns:
            A future that is done when RabbitMQ has the message, and fails with
            :class:`~shared.errors.PublishError` where no queue takes it or RabbitMQ refuses it, or with
            :class:`~shared.errors.BrokerError` where the connection is closed before.
        """
        return self._publisher.publish(exchange, routing_key, message)

    def consume(self, queue: str, on_delivery: Callable[[Delivery], None], prefetch: int) -> RabbitMqSubscription:
        """Deliver messages to a callback on the I/O thread.

        Raises:
            BrokerError: If RabbitMQ cannot be reached in time or the queue does not exist.
            ValueError: If the prefetch is less than one.
        """
        if prefetch < 1:
            raise ValueError(f"prefetch must be at least 1, not {prefetch}")
        self._check_open()
        subscription = RabbitMqSubscription(self._link, queue, on_delivery, prefetch)
        self._link.call(lambda: self._subscribe(subscription))
        try:
            self._link.ask(subscription.await_start)
        except BrokerError:
            subscription.cancel()
            raise
        return subscription

    def depth(self, queue: str) -> int:
        """Return how many messages wait in a queue.

        Raises:
            BrokerError: If the queue does not exist or RabbitMQ cannot be reached in time.
        """
        return int(self._look(queue).message_count)

    def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has.

        Raises:
            BrokerError: If the queue does not exist or RabbitMQ cannot be reached in time.
        """
        return int(self._look(queue).consumer_count)

    def close(self) -> None:
        """Wait for confirms under way, within a bound, then close."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            error = BrokerError("the broker is closed; open another one")
            self._publisher.refuse(error)
            if self._link.was_up:
                self._publisher.drain(self._settings.close_timeout_s)
            self._link.close()
            self._publisher.abandon(error)

    def on_up(self, connection: pika.SelectConnection) -> None:
        """Declare everything again, for the broker may have come back empty, then go on; for the link alone."""
        answer: Answer[None] = Answer()
        answer.add_done_callback(lambda _: self._resume(connection, answer))
        if self._topologies:
            channels.declare(connection, self._topologies, answer)
        else:
            answer.give(None)

    def on_unblocked(self) -> None:
        """Publish what waits; for the link alone."""
        self._publisher.pump()

    def on_failure(self, failure: BrokerError) -> None:
        """Fail what waits; for the link alone."""
        self._publisher.abandon(failure)

    def _look(self, queue: str) -> spec.Queue.DeclareOk:
        self._check_open()
        return self._link.ask(lambda connection, answer: channels.look(connection, queue, answer))

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerError("the broker is closed; open another one")

    def _remember(self, topology: Topology) -> None:
        if topology not in self._topologies:
            self._topologies.append(topology)

    def _subscribe(self, subscription: RabbitMqSubscription) -> None:
        self._subscriptions = [other for other in self._subscriptions if not other.is_over]
        self._subscriptions.append(subscription)
        if self._ready is not None:
            subscription.open(self._ready)

    def _resume(self, connection: pika.SelectConnection, declared: Answer[None]) -> None:
        if not connection.is_open:
            return
        if declared.exception() is not None:
            log.error("the topology could not be declared again: %s", declared.exception())
        self._ready = connection
        self._publisher.open(connection)
        for subscription in self._subscriptions:
            subscription.open(connection)
