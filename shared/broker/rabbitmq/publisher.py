"""Publishing with pipelined confirms: nothing is given up before RabbitMQ has it, or has said no."""

import logging
import threading
from collections import OrderedDict, deque
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, Final

import pika
from pika import spec
from pika.channel import Channel
from pika.connection import Connection
from pika.exceptions import ChannelClosedByBroker

from shared.broker.amqp import NOT_ENCODABLE, does_not_fit, to_properties
from shared.broker.rabbitmq.link import Link
from shared.errors import BrokerError, PublishError, UnroutableError
from shared.messages.message import Message

log = logging.getLogger(__name__)

REOPEN_S: Final = 0.1


@dataclass(slots=True, eq=False)
class Publish:
    """One message on its way.

    Attributes:
        exchange: The exchange.
        routing_key: The routing key.
        properties: Its properties.
        body: Its body.
        future: Done when RabbitMQ has taken responsibility.
    """

    exchange: str
    routing_key: str
    properties: pika.BasicProperties
    body: bytes
    future: Future[None] = field(default_factory=Future)

    @property
    def key(self) -> tuple[Any, ...]:
        """What a message that comes back as unroutable is recognised by."""
        return self.properties.message_id, self.exchange, self.routing_key


class Publisher:
    """The publishing channel and what is on its way.

    What was sent and not confirmed when the channel goes is sent again, in order, on the next one. Where the broker
    itself closed the channel, one of those messages was the reason: they are then sent one at a time, until the channel
    closes on exactly one of them, which fails.
    """

    def __init__(self, link: Link) -> None:
        """Start without a channel.

        Args:
            link: The connection.
        """
        self._link = link
        self._lock = threading.Lock()
        self._unsettled: set[Future[None]] = set()
        self._refusal: BrokerError | None = None
        self._waiting: deque[Publish] = deque()
        self._sent: OrderedDict[int, Publish] = OrderedDict()
        self._returned: dict[tuple[Any, ...], str] = {}
        self._suspects = 0
        self._last_tag = 0
        self._channel: Channel | None = None

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        """Take a message from any thread and return its future at once."""
        publish = Publish(exchange, routing_key, to_properties(message), bytes(message.body))
        publish.future.set_running_or_notify_cancel()
        with self._lock:
            refusal = self._refusal
            if refusal is None:
                self._unsettled.add(publish.future)
                self._link.call(lambda: self._accept(publish))
        if refusal is not None:
            publish.future.set_exception(refusal)
        return publish.future

    def drain(self, timeout_s: float) -> None:
        """Wait until everything on its way is settled, at most so many seconds."""
        with self._lock:
            unsettled = set(self._unsettled)
        wait(unsettled, timeout_s)

    def refuse(self, error: BrokerError) -> None:
        """Take no more; what comes from now on fails with this error."""
        with self._lock:
            self._refusal = error

    def abandon(self, error: BrokerError) -> None:
        """Fail whatever is still on its way; only after the link is closed, or on its thread."""
        self.refuse(error)
        self._waiting.clear()
        self._sent.clear()
        with self._lock:
            futures, self._unsettled = self._unsettled, set()
        for future in futures:
            future.set_exception(error)

    def open(self, connection: Connection) -> None:
        """Open the channel on a connection that is up, and send what waits."""
        if connection.is_open:
            channel = connection.channel(on_open_callback=self._opened)
            channel.add_on_close_callback(self._closed)

    def pump(self) -> None:
        """Send what waits, as far as the broker takes it."""
        while self._channel is not None and self._channel.is_open and self._waiting and not self._link.blocked:
            if self._suspects and self._sent:
                return
            self._send(self._channel, self._waiting.popleft())

    def _send(self, channel: Channel, publish: Publish) -> None:
        try:
            channel.basic_publish(
                publish.exchange, publish.routing_key, publish.body, publish.properties, mandatory=True
            )
        except NOT_ENCODABLE as error:
            self._finish(publish, does_not_fit(publish.properties.message_id, error))
        else:
            self._last_tag += 1
            self._sent[self._last_tag] = publish

    def _accept(self, publish: Publish) -> None:
        self._waiting.append(publish)
        self.pump()

    def _opened(self, channel: Channel) -> None:
        channel.add_on_return_callback(self._come_back)
        channel.confirm_delivery(self._confirmed, callback=lambda _: self._ready(channel))

    def _ready(self, channel: Channel) -> None:
        self._channel, self._last_tag = channel, 0
        self.pump()

    def _come_back(self, _: Channel, method: spec.Basic.Return, properties: pika.BasicProperties, __: bytes) -> None:
        self._returned[properties.message_id, method.exchange, method.routing_key] = method.reply_text

    def _confirmed(self, frame: Any) -> None:  # noqa: ANN401  (pika's frames are not generic at run time)
        method: spec.Basic.Ack | spec.Basic.Nack = frame.method
        nacked = isinstance(method, spec.Basic.Nack)
        if method.multiple:
            while self._sent and next(iter(self._sent)) <= method.delivery_tag:
                self._settle(self._sent.popitem(last=False)[1], nacked=nacked)
        elif method.delivery_tag in self._sent:
            self._settle(self._sent.pop(method.delivery_tag), nacked=nacked)
        self.pump()

    def _settle(self, publish: Publish, *, nacked: bool) -> None:
        error: PublishError | None = None
        if self._returned.pop(publish.key, None) is not None:
            error = UnroutableError(
                f"no queue takes {publish.routing_key!r} from exchange {publish.exchange!r}; declare the topology"
            )
        elif nacked:
            error = PublishError(f"RabbitMQ could not store a message for {publish.exchange!r}; publish it again")
        self._finish(publish, error)

    def _finish(self, publish: Publish, error: PublishError | None) -> None:
        self._suspects = max(0, self._suspects - 1)
        with self._lock:
            if publish.future not in self._unsettled:
                return
            self._unsettled.discard(publish.future)
        if error is None:
            publish.future.set_result(None)
        else:
            publish.future.set_exception(error)

    def _closed(self, channel: Channel, reason: Exception) -> None:
        if self._channel is not None and channel is not self._channel:
            return
        self._channel = None
        self._returned.clear()
        if isinstance(reason, ChannelClosedByBroker):
            log.warning("RabbitMQ closed the publishing channel: %s", reason.reply_text)
            self._blame(reason)
        self._waiting.extendleft(reversed(self._sent.values()))
        self._sent.clear()
        connection = channel.connection
        if connection.is_open:
            self._link.call_later(REOPEN_S, lambda: self.open(connection))

    def _blame(self, reason: ChannelClosedByBroker) -> None:
        if len(self._sent) == 1:
            _, publish = self._sent.popitem()
            self._finish(publish, PublishError(f"RabbitMQ refuses the message: {reason.reply_text}"))
        else:
            self._suspects = len(self._sent)
