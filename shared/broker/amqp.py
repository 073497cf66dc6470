"""How a message becomes AMQP 0-9-1 properties and back; both adapters share it, so that both carry the same."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pika
import pika.data
from pika import DeliveryMode
from pika.exceptions import AMQPError

from shared.broker.port import Cause
from shared.errors import PublishError
from shared.messages.message import HeaderValue, Message

BROKER_HEADER_PREFIX: Final = "x-"
"""Headers that a broker adds itself; they are not part of the message."""

FIRST_DEATH_QUEUE: Final = "x-first-death-queue"
FIRST_DEATH_REASON: Final = "x-first-death-reason"
FIRST_DEATH_EXCHANGE: Final = "x-first-death-exchange"

EPOCH: Final = datetime.fromtimestamp(0, UTC)

_LENGTH: Final = struct.Struct(">I")
_decode_table: Final = pika.data.decode_table


def _decode_any_table(encoded: bytes, offset: int) -> tuple[dict[Any, Any], int]:
    """Return what pika makes of a table of headers and where it ends; an empty one where it makes nothing of it.

    Without that a date that Python does not know, or a nest too deep, ends the connection, as often as it is delivered.
    """
    try:
        return _decode_table(encoded, offset)
    except Exception:  # noqa: BLE001  (whatever it is, the message is for a worker to reject)
        return {}, offset + _LENGTH.size + int(_LENGTH.unpack_from(encoded, offset)[0])


pika.data.decode_table = _decode_any_table

NOT_ENCODABLE: Final = (AMQPError, struct.error, AssertionError)
"""What pika raises on a message that AMQP cannot carry, such as one with a name of more than 255 bytes."""


@dataclass(frozen=True, slots=True)
class FirstDeath:
    """How a message died first.

    Attributes:
        queue: The queue in which it died.
        cause: Why.
    """

    queue: str
    cause: Cause


def to_properties(message: Message) -> pika.BasicProperties:
    """Return the properties under which a message travels.

    A ``float`` header travels as its exact decimal text, for pika neither writes AMQP doubles nor reads their fraction.
    """
    return pika.BasicProperties(
        type=message.type,
        content_type=message.content_type,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        timestamp=int(message.timestamp.timestamp()),
        headers={
            name: repr(value) if isinstance(value, float) else value
            for name, value in message.headers.items()
            if not name.startswith(BROKER_HEADER_PREFIX)
        },
        expiration=None if message.expiration_ms is None else str(message.expiration_ms),
        delivery_mode=DeliveryMode.Persistent.value,
    )


def from_properties(properties: pika.BasicProperties, body: bytes) -> Message:
    """Return the message that came under some properties, ours or anybody's.

    What a foreign sender left out or wrote in another way becomes an empty string, the epoch, or nothing, so that a
    worker gets every message into its hands and can reject what it cannot use.
    """
    return Message(
        type=_text(properties.type),
        body=body,
        content_type=_text(properties.content_type),
        message_id=_text(properties.message_id),
        correlation_id=_text(properties.correlation_id),
        timestamp=_time(properties.timestamp),
        headers=_plain(properties.headers or {}),
        expiration_ms=_milliseconds(properties.expiration),
    )


def does_not_fit(message_id: str | None, cause: BaseException) -> PublishError:
    """Return the error for a message that AMQP cannot carry."""
    return PublishError(f"message {message_id!r} does not fit into AMQP: {cause!r}; shorten its names and numbers")


def first_death(properties: pika.BasicProperties) -> FirstDeath | None:
    """Return how a dead letter died first, or None where the message is not one."""
    headers: Mapping[Any, Any] = properties.headers or {}
    queue, reason = headers.get(FIRST_DEATH_QUEUE), headers.get(FIRST_DEATH_REASON)
    if not isinstance(queue, str) or not isinstance(reason, str) or reason not in set(Cause):
        return None
    return FirstDeath(queue, Cause(reason))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: int | None) -> datetime:
    try:
        return datetime.fromtimestamp(value or 0, UTC)
    except (ValueError, OverflowError, OSError):
        return EPOCH


def _milliseconds(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _plain(headers: Mapping[Any, Any]) -> dict[str, HeaderValue]:
    plain: dict[str, HeaderValue] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or name.startswith(BROKER_HEADER_PREFIX):
            continue
        if isinstance(value, bool | str | float):
            plain[name] = value
        elif isinstance(value, int):
            plain[name] = int(value)  # pika reads a 64-bit integer as a subclass of its own
    return plain
