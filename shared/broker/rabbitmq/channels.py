"""What is asked on a channel that lives only as long as the question."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pika
from pika import spec
from pika.channel import Channel
from pika.exchange_type import ExchangeType

from shared.broker.rabbitmq.failures import Answer, refusal
from shared.errors import BrokerError
from shared.topology import Queue, Topology

T = TypeVar("T")


def on_channel(
    connection: pika.SelectConnection, work: Callable[[Channel, Answer[T]], None], answer: Answer[T]
) -> None:
    """Open a channel, work on it, and close it when the answer is there.

    Args:
        connection: An open connection.
        work: Settles the answer; where it raises or the broker closes the channel, the answer fails.
        answer: The answer.
    """

    def opened(channel: Channel) -> None:
        try:
            work(channel, answer)
        except Exception as error:  # noqa: BLE001  (whoever asked gets it)
            answer.fail(BrokerError(f"RabbitMQ cannot be asked that: {error}"))

    channel = connection.channel(on_open_callback=opened)
    channel.add_on_close_callback(lambda _, reason: answer.fail(refusal(reason)))
    answer.add_done_callback(lambda _: channel.close() if channel.is_open else None)


def declare(connection: pika.SelectConnection, topologies: Sequence[Topology], answer: Answer[None]) -> None:
    """Declare topologies; every step is safe to repeat."""

    def work(channel: Channel, answer: Answer[None]) -> None:
        for topology in topologies:
            _declare_on(channel, topology)
        # A channel answers in order: what the last question gets, all before it have got.
        channel.basic_qos(prefetch_count=1, callback=lambda _: answer.give(None))

    on_channel(connection, work, answer)


def greet(connection: pika.SelectConnection, answer: Answer[None]) -> None:
    """Ask for nothing but an answer."""

    def work(_: Channel, answer: Answer[None]) -> None:
        answer.give(None)

    on_channel(connection, work, answer)


def look(connection: pika.SelectConnection, queue: str, answer: Answer[spec.Queue.DeclareOk]) -> None:
    """Ask how many messages wait in a queue, and how many consumers it has."""

    def work(channel: Channel, answer: Answer[spec.Queue.DeclareOk]) -> None:
        channel.queue_declare(queue, passive=True, callback=lambda frame: answer.give(frame.method))

    on_channel(connection, work, answer)


def arguments_of(queue: Queue) -> dict[str, Any]:
    """Return the arguments with which RabbitMQ declares a queue."""
    arguments = {
        "x-queue-type": queue.kind.value,
        "x-dead-letter-exchange": queue.dead_letter_exchange,
        "x-delivery-limit": queue.delivery_limit,
        "x-max-length": queue.max_length,
        "x-overflow": None if queue.max_length is None else "drop-head",
        "x-message-ttl": queue.message_ttl_ms,
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _declare_on(channel: Channel, topology: Topology) -> None:
    for exchange in topology.exchanges:
        channel.exchange_declare(exchange, ExchangeType.topic, durable=True, callback=_pass)
    for queue in topology.queues:
        channel.queue_declare(queue.name, durable=True, arguments=arguments_of(queue), callback=_pass)
        for binding in queue.bindings:
            channel.queue_bind(queue.name, binding.exchange, binding.pattern, callback=_pass)


def _pass(_: object) -> None:
    """Take an answer that says only that it went well."""
