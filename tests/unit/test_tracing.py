"""Without a collector nothing is traced and every context goes on unchanged; with one, each follows from the last."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.emotions import Modality
from shared.errors import SettingsError
from shared.messages import SessionEnded
from shared.opentelemetry import tracer_over
from shared.sessions import new_session
from shared.tracing import begin_publish, begin_span, begin_trace, configure_tracing, trace_context_of, trace_with

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture(name="traced")
def _traced() -> Iterator[None]:
    trace_with(tracer_over("test", InMemorySpanExporter()))
    yield
    trace_with(None)


def test_untraced_work_hands_on_the_context_that_it_got() -> None:
    assert begin_span("work", PARENT, {}).traceparent == PARENT
    assert begin_span("work", None, {}).traceparent is None
    ended = SessionEnded(session_id="session-0001", traceparent=PARENT, duration_s=1, speech_chunks=0, frames=0)
    message = ended.to_message()
    assert begin_publish(message)[0] == message


def test_every_session_has_a_context_of_its_own_traced_or_not() -> None:
    first, second = (new_session([Modality.TEXT])[0].traceparent for _ in range(2))
    assert first != second
    assert first is not None
    assert [len(part) for part in first.split("-")] == [2, 32, 16, 2]


@pytest.mark.usefixtures("traced")
def test_traced_work_stays_in_its_trace_with_a_span_of_its_own() -> None:
    root = begin_trace("session-0001")
    ended = SessionEnded(session_id="session-0001", traceparent=root, duration_s=1, speech_chunks=0, frames=0)
    message, span = begin_publish(ended.to_message())
    span.end()
    context = trace_context_of(message)
    assert context is not None
    assert context.split("-")[1] == root.split("-")[1]
    assert context.split("-")[2] != root.split("-")[2]


@pytest.mark.usefixtures("traced")
def test_what_the_agent_chose_not_to_sample_is_not_sampled_later() -> None:
    context = begin_span("work", UNSAMPLED, {}).traceparent
    assert context is not None
    assert context.split("-")[1] == UNSAMPLED.split("-")[1]
    assert context.endswith("-00")


@pytest.mark.usefixtures("traced")
def test_a_context_that_is_none_begins_a_trace_and_breaks_nothing() -> None:
    assert begin_span("work", "not a trace context", {}).traceparent is not None


def test_where_it_is_asked_for_and_not_installed_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.delitem(sys.modules, "shared.opentelemetry")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"install mien\[trace\]"):
        configure_tracing("test")


def test_a_service_that_does_not_trace_loads_no_exporter() -> None:
    code = "import sys, shared.service, services.fusion.__main__; sys.exit('opentelemetry.exporter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
