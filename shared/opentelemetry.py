"""Spans over OpenTelemetry; imported only where traces are asked for."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared import __version__
from shared.messages.message import TRACEPARENT
from shared.tracing import TRACER, Attributes, Begin, Span


def otlp_exporter() -> SpanExporter:
    """Return what sends spans to an OTLP collector over HTTP; it reads OpenTelemetry's own variables."""
    return OTLPSpanExporter()


def tracer_over(service: str, exporter: SpanExporter) -> Begin:
    """Return what begins spans that go to an exporter, in batches, the last at the end of the process.

    Args:
        service: The name of the service.
        exporter: Where finished spans go.
    """
    resource = Resource.create({SERVICE_NAME: f"mien-{service}", SERVICE_VERSION: __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer, propagator = provider.get_tracer(TRACER, __version__), TraceContextTextMapPropagator()

    def begin(name: str, parent: str | None, attributes: Attributes) -> Span:
        context = propagator.extract({TRACEPARENT: parent} if parent else {})
        span = tracer.start_span(name, context=context, attributes=attributes)
        carrier: dict[str, str] = {}
        propagator.inject(carrier, set_span_in_context(span))
        return Span(carrier.get(TRACEPARENT, parent), span.end)

    return begin
