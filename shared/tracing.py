"""One trace from the agent to the fused score, over OpenTelemetry where that is asked for; otherwise nothing.

Spans carry ids and places, as logs do; never words, pictures or scores.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from shared.errors import SettingsError
from shared.messages.message import TRACEPARENT, Message
from shared.settings import Settings

Attributes: TypeAlias = Mapping[str, str | int]

TRACER: Final = "mien"


class TraceSettings(Settings):
    """Where traces go; OpenTelemetry's own variables (``OTEL_…``) say the rest, such as what share is sampled.

    Attributes:
        otel_exporter_otlp_endpoint: Address of an OTLP collector over HTTP; empty for no traces.
    """

    otel_exporter_otlp_endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Some work for one message.

    Attributes:
        traceparent: W3C trace context for what follows from the work; untraced, that of what went before.
        end: Call it when the work is done.
    """

    traceparent: str | None
    end: Callable[[], None]


Begin: TypeAlias = Callable[[str, str | None, Attributes], Span]


def _untraced(_: str, parent: str | None, __: Attributes) -> Span:
    return Span(parent, lambda: None)


_begin: Begin = _untraced


def configure_tracing(service: str) -> None:
    """Send spans to where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says, if it is set, under the name of a service.

    Raises:
        SettingsError: If it is set and OpenTelemetry is not installed.
    """
    if not TraceSettings().otel_exporter_otlp_endpoint:
        return
    try:
        from shared.opentelemetry import otlp_exporter, tracer_over  # noqa: PLC0415  (half a second that few ask for)
    except ImportError:
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed; install mien[trace], or unset it."
        ) from None
    trace_with(tracer_over(service, otlp_exporter()))


def trace_with(begin: Begin | None) -> None:
    """Begin spans in this way from now on, or none."""
    global _begin  # noqa: PLW0603  (one tracer a process, as OpenTelemetry itself has it)
    _begin = begin or _untraced


def begin_span(name: str, parent: str | None, attributes: Attributes) -> Span:
    """Begin a span.

    Args:
        name: What is done, a low number of different ones.
        parent: W3C trace context of what it follows from; None for a trace of its own.
        attributes: Ids and places.
    """
    return _begin(name, parent, attributes)


def begin_publish(message: Message) -> tuple[Message, Span]:
    """Begin the span of a publish, and return the message so that whoever reads it follows from it."""
    place = {"session_id": message.correlation_id, "message_id": message.message_id}
    span = begin_span(f"publish {message.type}", trace_context_of(message), place)
    if span.traceparent is None:
        return message, span
    return replace(message, headers={**message.headers, TRACEPARENT: span.traceparent}), span


def trace_context_of(message: Message) -> str | None:
    """Return the trace context that a message carries, or None."""
    context = message.headers.get(TRACEPARENT)
    return context if isinstance(context, str) else None


def begin_trace(session_id: str) -> str:
    """Return the trace context of a new session; random where nothing is traced, so that others may still trace it."""
    span = begin_span("session", None, {"session_id": session_id})
    span.end()
    return span.traceparent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
