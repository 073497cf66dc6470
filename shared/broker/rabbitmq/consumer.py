"""Consuming: one channel a subscription, with its own prefetch, opened again on every new connection."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from itertools import takewhile
from typing import Final

import pika
from pika import spec
from pika.channel import Channel
from pika.connection import Connection
from pika.exceptions import ChannelClosedByBroker

from shared.broker.amqp import FirstDeath, first_death, from_properties
from shared.broker.port import Delivery
from shared.broker.rabbitmq.failures import Answer, LostError, refusal
from shared.broker.rabbitmq.link import Link
from shared.messages.message import Message

log = logging.getLogger(__name__)

REOPEN_S: Final = 1.0


class Settlement(Enum):
    """What becomes of a delivery."""

    ACK = "ack"
    REJECT = "reject"
    REQUEUE = "requeue"


class RabbitMqDelivery:
    """A message in the hands of a consumer; see :class:`~shared.broker.port.Delivery`."""

    def __init__(
        self, properties: pika.BasicProperties, body: bytes, settle: Callable[[Settlement], None], *, redelivered: bool
    ) -> None:
        """Decode what came.

        Args:
            properties: Its properties.
            body: Its body.
            settle: Says to RabbitMQ what becomes of it.
            redelivered: Whether it was delivered before.
        """
        self.message: Message = from_properties(properties, body)
        self.redelivered: bool = redelivered
        self.death: FirstDeath | None = first_death(properties)
        self._settle = settle

    def ack(self) -> None:
        """Settle it: the work is done."""
        self._settle(Settlement.ACK)

    def reject(self) -> None:
        """Settle it: it becomes a dead letter."""
        self._settle(Settlement.REJECT)

    def requeue(self) -> None:
        """Hand it back."""
        self._settle(Settlement.REQUEUE)


class RabbitMqSubscription:
    """A running consumer; everything but :meth:`cancel` and the constructor is for the I/O thread.

    Attributes:
        started: Done with the first deliveries under way; fails where the broker refuses.
    """

    def __init__(self, link: Link, queue: str, on_delivery: Callable[[Delivery], None], prefetch: int) -> None:
        """Prepare; nothing comes before :meth:`open`.

        Args:
            link: The connection.
            queue: The queue.
            on_delivery: Called for each message.
            prefetch: How many messages may be in hand.
        """
        self.started: Answer[None] = Answer()
        self._link = link
        self._queue = queue
        self._on_delivery = on_delivery
        self._prefetch = prefetch
        self._channel: Channel | None = None
        self._tag: str | None = None
        self._in_hand: dict[int, None] = {}
        self._acked: set[int] = set()
        self._cancelled = False

    @property
    def is_over(self) -> bool:
        """Whether it was cancelled and nothing is in hand any more."""
        return self._cancelled and self._channel is None

    def cancel(self) -> None:
        """Stop deliveries; returns when no further one will come."""
        stopped: Future[None] = Future()
        self._link.call(lambda: self._cancel(stopped))
        self._link.join_call(stopped)

    def await_start(self, _: Connection, answer: Answer[None]) -> None:
        """Answer when it has started."""
        self.started.add_done_callback(answer.follow)

    def open(self, connection: Connection) -> None:
        """Subscribe on a connection that is up."""
        if connection.is_open and not self._cancelled:
            channel = connection.channel(on_open_callback=self._opened)
            channel.add_on_close_callback(self._closed)

    def _opened(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_cancel_callback(lambda _: self._dismissed(channel))
        channel.basic_qos(prefetch_count=self._prefetch)
        if self._cancelled:
            channel.close()
            return
        self._tag = channel.basic_consume(self._queue, self._delivered, callback=lambda _: self.started.give(None))

    def _delivered(
        self, channel: Channel, method: spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        tag = method.delivery_tag or 0
        self._in_hand[tag] = None

        def settle(settlement: Settlement) -> None:
            self._link.call(lambda: self._settle(channel, tag, settlement))

        delivery = RabbitMqDelivery(properties, body, settle, redelivered=method.redelivered)
        try:
            self._on_delivery(delivery)
        except Exception:
            log.exception("the consumer of %s failed on a delivery; it is rejected", self._queue)
            delivery.reject()

    def _settle(self, channel: Channel, tag: int, settlement: Settlement) -> None:
        if channel is not self._channel or not channel.is_open or tag not in self._in_hand or tag in self._acked:
            return
        if settlement is Settlement.ACK:
            self._ack(channel, tag)
            return
        del self._in_hand[tag]
        # RabbitMQ from 4.3 on counts a reject towards the delivery limit, and no longer a nack.
        channel.basic_reject(tag, requeue=settlement is Settlement.REQUEUE)
        self._close_when_over()

    def _ack(self, channel: Channel, tag: int) -> None:
        self._acked.add(tag)
        if len(self._acked) == 1:
            # Those of a batch come together, and RabbitMQ takes them in one frame where none before them is in hand.
            self._link.call(lambda: self._flush(channel))

    def _flush(self, channel: Channel) -> None:
        if channel is not self._channel or not channel.is_open:
            return
        first = list(takewhile(self._acked.__contains__, self._in_hand))
        if first:
            channel.basic_ack(first[-1], multiple=True)
        for tag in self._acked.difference(first):
            channel.basic_ack(tag)
        for tag in self._acked:
            del self._in_hand[tag]
        self._acked.clear()
        self._close_when_over()

    def _cancel(self, stopped: Future[None]) -> None:
        if not self._cancelled:
            self._cancelled = True
            if self._channel is not None and self._channel.is_open and self._tag is not None:
                self._channel.basic_cancel(self._tag, callback=lambda _: None)
            self._close_when_over()
        stopped.set_result(None)

    def _close_when_over(self) -> None:
        if self._cancelled and not self._in_hand and self._channel is not None and self._channel.is_open:
            self._channel.close()

    def _dismissed(self, channel: Channel) -> None:
        log.warning("%s was deleted; its consumer tries to come back", self._queue)
        channel.close()

    def _closed(self, channel: Channel, reason: Exception) -> None:
        self._channel, self._tag = None, None
        self._in_hand.clear()
        self._acked.clear()
        error = refusal(reason)
        if not self.started.done() and not isinstance(error, LostError):
            self._cancelled = True
            self.started.fail(error)
        connection = channel.connection
        if self._cancelled or not connection.is_open:
            return
        if isinstance(reason, ChannelClosedByBroker):
            log.warning("RabbitMQ closed the channel that consumes %s: %s", self._queue, reason.reply_text)
        self._link.call_later(REOPEN_S, lambda: self.open(connection))
