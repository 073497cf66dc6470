"""The message as AMQP 0-9-1 carries it, with nothing home-made: a body and standard properties."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

HeaderValue = str | int | float | bool

TRACEPARENT: Final = "traceparent"
"""The header that carries the W3C trace context from the agent to the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, the same for every broker.

    Attributes:
        type: What it is, for example ``speech.chunk``; also its routing key unless the sender narrows it.
        body: Raw media or UTF-8 JSON; never base64.
        content_type: MIME type of the body.
        message_id: Unique per message; a message that is sent again keeps it.
        correlation_id: The session that it belongs to.
        timestamp: When it was made, in UTC; AMQP keeps whole seconds.
        headers: The metadata of the body.
        expiration_ms: Milliseconds after which a queue may drop (and count) it, or None.
    """

    type: str
    body: bytes
    content_type: str
    message_id: str
    correlation_id: str
    timestamp: datetime
    headers: dict[str, HeaderValue] = field(default_factory=dict)
    expiration_ms: int | None = None
