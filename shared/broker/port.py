"""What Mien asks of a broker. Both adapters inherit one contract test."""

from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from typing import Protocol

from shared.messages.message import Message
from shared.topology import Topology


class Cause(StrEnum):
    """Why a message became a dead letter; the values are RabbitMQ's."""

    REJECTED = "rejected"
    EXPIRED = "expired"
    MAXLEN = "maxlen"
    DELIVERY_LIMIT = "delivery_limit"


class Death(Protocol):
    """How a message died.

    Attributes:
        queue: The queue in which it died.
        cause: Why.
    """

    @property
    def queue(self) -> str:
        """The queue in which it died."""

    @property
    def cause(self) -> Cause:
        """Why it died."""


class Delivery(Protocol):
    """A message in the hands of a consumer, who settles it exactly once, from whichever thread."""

    @property
    def message(self) -> Message:
        """The message."""

    @property
    def redelivered(self) -> bool:
        """Whether it was delivered before, to anybody."""

    @property
    def death(self) -> Death | None:
        """How it died first, where it is a dead letter."""

    def ack(self) -> None:
        """Settle it: the work is done. Without effect where the connection it came on is gone; it comes again then."""

    def reject(self) -> None:
        """Settle it: nobody can use it. It becomes a dead letter."""

    def requeue(self) -> None:
        """Hand it back; it comes again, here or elsewhere, until its queue's delivery limit."""


class Subscription(Protocol):
    """A running consumer."""

    def cancel(self) -> None:
        """Stop deliveries. Returns when no further one will come; those in hand may still be settled."""


class Broker(Protocol):
    """A connection to a broker; all methods may be called from any thread.

    The connection comes back by itself after a loss: publishes that were not confirmed are sent again with the same
    ``message_id``, and consumers are subscribed again; what they had in hand is then delivered again.
    """

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""

    @property
    def blocked(self) -> bool:
        """Whether the broker takes no publishes for want of memory or disk; they wait then."""

    def declare(self, topology: Topology) -> None:
        """Make sure that the exchanges, queues and bindings exist.

        Raises:
            BrokerError: If the broker cannot be reached in time or refuses.
        """

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        """Send a message and return at once.

        Returns:
            A future that is done when the broker has taken responsibility for the message, and fails with
            :class:`~shared.errors.PublishError` where no queue takes it or the broker refuses it, or with
            :class:`~shared.errors.BrokerError` where the connection is closed before.
        """

    def consume(self, queue: str, on_delivery: Callable[[Delivery], None], prefetch: int) -> Subscription:
        """Deliver messages to a callback that must return quickly; it runs on the broker's own thread.

        Args:
            queue: The queue.
            on_delivery: Called for each message, one at a time.
            prefetch: How many messages may be in hand, delivered and not yet settled.
        """

    def depth(self, queue: str) -> int:
        """Return how many messages wait in a queue, those in hand not counted.

        Raises:
            BrokerError: If the queue does not exist or the broker cannot be reached in time.
        """

    def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has, on whatever connection.

        Raises:
            BrokerError: If the queue does not exist or the broker cannot be reached in time.
        """

    def close(self) -> None:
        """Wait for confirms under way, within a bound, then close. What is in hand is delivered again elsewhere."""
