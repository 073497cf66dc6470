"""The broker port over a server in memory."""

import heapq
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

import pika
from pika import spec

from shared.broker.amqp import NOT_ENCODABLE, FirstDeath, does_not_fit, first_death, from_properties, to_properties
from shared.broker.memory.server import Envelope, Item, MemoryQueue, MemoryServer
from shared.broker.port import Cause, Delivery
from shared.errors import BrokerError, UnroutableError
from shared.messages.message import Message
from shared.topology import Topology

log = logging.getLogger(__name__)


class MemoryDelivery:
    """A message in the hands of a consumer; see :class:`~shared.broker.port.Delivery`."""

    def __init__(self, subscription: "MemorySubscription", item: Item) -> None:
        """Decode what the queue held.

        Args:
            subscription: The consumer.
            item: The place in its queue.
        """
        properties = pika.BasicProperties().decode(item.envelope.properties)
        self._subscription = subscription
        self._item = item
        self.message: Message = from_properties(properties, item.envelope.body)
        self.redelivered: bool = item.returns > 0
        self.death: FirstDeath | None = first_death(properties)

    def ack(self) -> None:
        """Settle it: the work is done."""
        self._subscription.settle(self._item, None)

    def reject(self) -> None:
        """Settle it: it becomes a dead letter."""
        self._subscription.settle(self._item, Cause.REJECTED)

    def requeue(self) -> None:
        """Hand it back."""
        self._subscription.hand_back(self._item)


class MemorySubscription:
    """A running consumer: a thread that takes from a queue what its prefetch allows."""

    def __init__(
        self, server: MemoryServer, queue: MemoryQueue, on_delivery: Callable[[Delivery], None], prefetch: int
    ) -> None:
        """Start to deliver.

        Args:
            server: Where the queue lives.
            queue: The queue.
            on_delivery: Called for each message.
            prefetch: How many messages may be in hand.
        """
        self._server = server
        self._queue = queue
        self._on_delivery = on_delivery
        self._prefetch = prefetch
        self._in_hand: dict[int, Item] = {}
        self._stopped = False
        queue.consumers += 1
        self._thread = threading.Thread(target=self._run, name=f"consume {queue.spec.name}", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it was cancelled and nothing is in hand any more."""
        return self._stopped and not self._in_hand

    def cancel(self) -> None:
        """Stop deliveries; returns when no further one will come."""
        with self._server.changed:
            self._queue.consumers -= not self._stopped
            self._stopped = True
            self._server.changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def settle(self, item: Item, cause: Cause | None) -> None:
        """Take an item out of hand for good, as done or as a dead letter; nothing where it is not in hand."""
        with self._server.changed:
            if self._in_hand.pop(item.position, None) is None:
                return
            if cause is not None:
                self._server.bury(self._queue, item, cause)
            self._server.changed.notify_all()

    def hand_back(self, item: Item) -> None:
        """Put an item that is in hand back into its queue."""
        with self._server.changed:
            if self._in_hand.pop(item.position, None) is not None:
                self._server.put_back(self._queue, item)

    def hand_back_all(self) -> None:
        """Put everything in hand back into its queue, the oldest first."""
        for _, item in sorted(self._in_hand.items()):
            self.hand_back(item)

    def _run(self) -> None:
        while (item := self._take()) is not None:
            delivery = MemoryDelivery(self, item)
            try:
                self._on_delivery(delivery)
            except Exception:
                log.exception("the consumer of %s failed on a delivery; it is rejected", self._queue.spec.name)
                delivery.reject()

    def _take(self) -> Item | None:
        with self._server.changed:
            while not self._stopped:
                queue = self._server.queue(self._queue.spec.name)
                if queue.ready and len(self._in_hand) < self._prefetch:
                    item = heapq.heappop(queue.ready)
                    self._in_hand[item.position] = item
                    return item
                self._server.wait()
        return None


class MemoryBroker:
    """A connection to a server in memory; see :class:`~shared.broker.port.Broker`.

    Every message is encoded to AMQP's wire form and decoded again.
    """

    def __init__(self, server: MemoryServer | None = None) -> None:
        """Connect.

        Args:
            server: What to connect to; one of its own where None.
        """
        self._server = MemoryServer() if server is None else server
        self._subscriptions: list[MemorySubscription] = []
        self._closed = False

    @property
    def connected(self) -> bool:
        """Whether it is not closed yet."""
        return not self._closed

    @property
    def blocked(self) -> bool:
        """Never: what is published finds room here or nowhere."""
        return False

    def declare(self, topology: Topology) -> None:
        """Make sure that the exchanges, queues and bindings exist.

        Raises:
            BrokerError: If a queue exists with other arguments or the broker is closed.
        """
        with self._server.changed:
            self._check_open()
            self._server.declare(topology)

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        """Route a message; the future is done on return.

        Returns:
            A future that fails with :class:`~shared.errors.UnroutableError` where no queue takes the message.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        try:
            self._publish(exchange, routing_key, message)
        except BrokerError as error:
            future.set_exception(error)
        else:
            future.set_result(None)
        return future

    def consume(self, queue: str, on_delivery: Callable[[Delivery], None], prefetch: int) -> MemorySubscription:
        """Deliver messages to a callback, on a thread of the subscription's own.

        Raises:
            BrokerError: If the queue does not exist or the broker is closed.
            ValueError: If the prefetch is less than one.
        """
        if prefetch < 1:
            raise ValueError(f"prefetch must be at least 1, not {prefetch}")
        with self._server.changed:
            self._check_open()
            subscription = MemorySubscription(self._server, self._server.queue(queue), on_delivery, prefetch)
            self._subscriptions = [other for other in self._subscriptions if not other.is_over] + [subscription]
        return subscription

    def depth(self, queue: str) -> int:
        """Return how many messages wait in a queue.

        Raises:
            BrokerError: If the queue does not exist or the broker is closed.
        """
        with self._server.changed:
            self._check_open()
            return len(self._server.queue(queue).ready)

    def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has.

        Raises:
            BrokerError: If the queue does not exist or the broker is closed.
        """
        with self._server.changed:
            self._check_open()
            return self._server.queue(queue).consumers

    def close(self) -> None:
        """Stop every consumer and put back what they have in hand."""
        with self._server.changed:
            self._closed = True
            subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            subscription.cancel()
        with self._server.changed:
            for subscription in subscriptions:
                subscription.hand_back_all()

    def _publish(self, exchange: str, routing_key: str, message: Message) -> None:
        try:
            spec.Basic.Publish(exchange=exchange, routing_key=routing_key).encode()
            properties = b"".join(to_properties(message).encode())
        except NOT_ENCODABLE as error:
            raise does_not_fit(message.message_id, error) from error
        envelope = Envelope(exchange=exchange, routing_key=routing_key, properties=properties, body=bytes(message.body))
        with self._server.changed:
            self._check_open()
            if not self._server.route(envelope):
                raise UnroutableError(
                    f"no queue takes {routing_key!r} from exchange {exchange!r}; declare the topology"
                )

    def _check_open(self) -> None:
        if self._closed:
            raise BrokerError("the broker is closed; open another one")
