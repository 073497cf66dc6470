"""Processes with the accounts of the deployment, and what can be seen of them: traces, metrics, logs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from services.capture.agent import Agent
from services.capture.sources.file import FileSource
from shared.broker.rabbitmq import RabbitMqBroker
from shared.broker.rabbitmq.accounts import ROLES, Passwords
from shared.broker.rabbitmq.definitions import definitions
from shared.emotions import Modality
from shared.opentelemetry import tracer_over
from shared.sessions import new_session
from shared.settings import BrokerSettings
from shared.tracing import trace_with
from tests.e2e.collector import Collector, Finished, collector
from tests.e2e.command import SAMPLE, mien
from tests.servers import RabbitMqServer, free_port

PATIENCE_S: Final = 90.0
POLL_S: Final = 0.1
SECRET: Final = "a-password-of-this-test"
SERVICES: Final = ("fusion", "text")
NICE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A system through which one session went.

    Attributes:
        urls: Where each service answers.
        logs: The log of each service.
        pids: The process of each service.
        collected: Where traces go.
        session: The answer of the API about the session.
        token: The session's token.
        environment: What an operator's own commands are given.
    """

    urls: dict[str, str]
    logs: dict[str, Path]
    pids: dict[str, int]
    collected: Collector
    session: dict[str, Any]
    token: str
    environment: dict[str, str]


@pytest.fixture(scope="module")
def watched(
    rabbitmq_server: RabbitMqServer, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    if rabbitmq_server.environment is None:
        pytest.skip("accounts are only made at a server of our own")
    folder = tmp_path_factory.mktemp("operate")
    vhost = f"operate-{uuid4().hex}"
    passwords = Passwords.model_validate(dict.fromkeys((role.name for role in ROLES), SECRET))
    (folder / "definitions.json").write_text(json.dumps(definitions(passwords, vhost)))
    rabbitmq_server.ctl("import_definitions", str(folder / "definitions.json"))
    broker = urlsplit(rabbitmq_server.url).netloc.rpartition("@")[2]
    ports = {service: free_port() for service in SERVICES}
    logs = {service: folder / f"{service}.log" for service in SERVICES}
    with ExitStack() as stack:
        collected = stack.enter_context(collector())
        environment = {
            **os.environ, "REDIS_URL": redis_url, "AMQP_PASSWORD": SECRET, "AMQP_DECLARE": "0", "LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "OTEL_BSP_SCHEDULE_DELAY": "100",
            "FUSION_PORT": str(ports["fusion"]), "WORKER_HEALTH_PORT": str(ports["text"]), "FUSION_RATE": "1000",
            "WORKER_NICE": str(NICE),
        }  # fmt: skip
        processes = {
            service: _start(service, {**environment, "AMQP_URL": f"amqp://mien-{service}@{broker}/{vhost}"}, log, stack)
            for service, log in logs.items()
        }
        urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        for service, url in urls.items():
            _await(processes[service], lambda url=url: _answers(f"{url}/readyz"), logs[service])
        agent_url = f"amqp://mien-agent:{SECRET}@{broker}/{vhost}"
        session_id, token = _capture(agent_url, collected.url)
        session: dict[str, Any] = {}

        def is_complete() -> bool:
            path, headers = f"{urls['fusion']}/v1/sessions/{session_id}", {"Authorization": f"Bearer {token}"}
            answer = httpx.get(path, params={"include": "transcript"}, headers=headers)
            session.update(answer.json())
            return session.get("status") == "complete"

        _await(processes["fusion"], is_complete, logs["fusion"])
        observer = {**environment, "AMQP_URL": f"amqp://mien-observer@{broker}/{vhost}"}
        pids = {service: process.pid for service, process in processes.items()}
        yield Watched(
            urls=urls, logs=logs, pids=pids, collected=collected, session=session, token=token, environment=observer
        )
    rabbitmq_server.ctl("delete_vhost", vhost)


def _start(service: str, environment: dict[str, str], log: Path, stack: ExitStack) -> "subprocess.Popen[bytes]":
    file = stack.enter_context(log.open("wb"))
    command = [sys.executable, "-m", f"services.{service}"]
    process = stack.enter_context(subprocess.Popen(command, env=environment, stdout=file, stderr=file))
    stack.callback(process.kill)
    return process


def _await(process: "subprocess.Popen[bytes]", is_true: Any, log: Path) -> None:
    deadline = monotonic() + PATIENCE_S
    while not is_true():
        try:
            process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            assert monotonic() < deadline, log.read_text()[-2000:]
        else:
            pytest.fail(log.read_text()[-2000:])


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _capture(broker_url: str, collector_url: str) -> tuple[str, str]:
    """Send the sample's words, traced, with the agent's account; return the session and its token."""
    broker = RabbitMqBroker(BrokerSettings(url=SecretStr(broker_url), declare=False))
    trace_with(tracer_over("agent", OTLPSpanExporter(endpoint=f"{collector_url}/v1/traces")))
    try:
        started, token = new_session([Modality.TEXT])
        Agent(broker, started, live=False).run(FileSource(SAMPLE, video=False))
    finally:
        trace_with(None)
        broker.close()
    return started.session_id, token


def _sum(text: str, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples that have some labels; fails where there is none."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = [each.value for each in samples if each.name == name and labels.items() <= each.labels.items()]
    assert found, f"no {name} with {labels}"
    return sum(found)


def test_accounts_without_a_right_to_configure_are_enough(watched: Watched) -> None:
    row = watched.session["accounting"]["text"]
    assert row["published"] == row["scored"] + row["abstained"] > 0


def test_one_trace_goes_from_the_agent_over_the_worker_to_fusion(watched: Watched) -> None:
    by_id: dict[bytes, Finished] = {}

    def chains() -> list[tuple[Finished, ...]]:
        kept = [span for span in by_id.values() if span.attributes.get("message_type") == "score"]
        return [chain for span in kept if len(chain := tuple(_with_parents(span, by_id))) == 4]

    while len(chains()) < watched.session["accounting"]["text"]["published"]:
        try:
            span = watched.collected.spans.get(timeout=PATIENCE_S)
        except Empty:
            pytest.fail(f"{[(span.service, span.name) for span in by_id.values()]}")
        by_id[span.span_id] = span
    for chain in chains():
        assert [(span.service, span.name) for span in chain] == [
            ("mien-fusion", "keep"), ("mien-text", "score text"), ("mien-agent", "publish speech.chunk"),
            ("mien-agent", "session"),
        ]  # fmt: skip
        assert len({span.trace_id for span in chain}) == 1
        assert chain[-1].parent_id == b""


def test_a_worker_gives_way_to_others_as_far_as_it_is_told(watched: Watched) -> None:
    assert os.getpriority(os.PRIO_PROCESS, watched.pids["text"]) == min(19, os.nice(0) + NICE)


def test_every_service_says_what_it_counts(watched: Watched) -> None:
    text, fusion = (httpx.get(f"{watched.urls[service]}/metrics").text for service in ("text", "fusion"))
    scored = watched.session["accounting"]["text"]["published"]
    assert _sum(text, "mien_scores_total", modality="text") == scored
    for name in ("mien_queue_wait_seconds", "mien_compute_seconds"):
        assert _sum(text, f"{name}_count", modality="text") == scored
    assert _sum(text, "mien_batch_size_sum", modality="text") == scored
    assert _sum(text, "mien_publish_confirms_total", outcome="confirmed") == scored
    assert _sum(text, "mien_broker_reconnects_total") == _sum(fusion, "mien_broker_reconnects_total") == 0
    assert _sum(fusion, "mien_scores_kept_total", modality="text") == scored
    assert _sum(fusion, "mien_lag_seconds_count", modality="text") == scored
    assert _sum(fusion, "mien_sessions_live") >= 0
    assert _sum(fusion, "mien_queue_messages", queue="mien.text") == 0
    assert _sum(fusion, "mien_queue_consumers", queue="mien.text") == 1
    assert _sum(fusion, "mien_queue_consumers", queue="mien.face") == 0
    assert _sum(fusion, "mien_http_request_seconds_count", route="/v1/sessions/{session_id}", status="200") > 0


@pytest.mark.parametrize("service", SERVICES)
def test_logs_are_structured_and_hold_no_words_and_no_token(service: str, watched: Watched) -> None:
    log = watched.logs[service].read_text()
    ours = [line for line in log.splitlines() if not line.startswith("INFO: Created TensorFlow Lite")]
    lines = [json.loads(line) for line in ours]
    assert any(line["message"] == "ready" for line in lines)
    assert all({"time", "level", "logger", "service"} <= set(line) for line in lines)
    said = " ".join(each["text"] for each in watched.session["transcript"]).split()
    assert len(said) > 20
    three_words = (" ".join(said[at : at + 3]) for at in range(len(said) - 2))
    assert [words for words in three_words if words.lower() in log.lower()] == []
    assert watched.token not in log
    assert SECRET not in log


def _with_parents(span: Finished, by_id: dict[bytes, Finished]) -> Iterator[Finished]:
    yield span
    if span.parent_id in by_id:
        yield from _with_parents(by_id[span.parent_id], by_id)


def _doctor(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, tuple[str, str]]]:
    done = mien("doctor", "--json", "--no-models", *arguments, environment=environment)
    found = json.loads(done.stdout)
    assert found["healthy"] == (done.returncode == 0)
    return done.returncode, {each["subject"]: (each["state"], each["finding"]) for each in found["findings"]}


def test_doctor_finds_all_well_and_says_what_is_missing(watched: Watched) -> None:
    code, findings = _doctor(watched.environment, "--fusion", watched.urls["fusion"])
    assert code == 0
    assert {findings[each][0] for each in ("broker", "rights", "Redis", "Redis memory", "fusion")} == {"good"}
    assert findings["queue mien.text"] == ("good", "0 wait, 1 consumers.")
    assert findings["queue mien.face"] == ("warning", "0 wait, 0 consumers; start one.")
    assert findings["clock against Redis"][0] == findings["clock against fusion"][0] == "good"
    assert findings["Redis file"][0] == "warning", "the Redis of the tests keeps no file"


def test_doctor_says_what_to_mend(watched: Watched) -> None:
    nothing = f"127.0.0.1:{free_port()}"
    wrong = {"AMQP_PASSWORD": "wrong", "REDIS_URL": f"redis://{nothing}/0", "FUSION_URL": f"http://{nothing}"}
    code, findings = _doctor({**watched.environment, **wrong})
    assert code == 1
    for subject, sentence in (
        ("broker", "refuses the user name or the password; check AMQP_URL"),
        ("Redis", "start it, or correct REDIS_URL"),
        ("fusion", "start it, or correct FUSION_URL"),
    ):
        assert findings[subject][0] == "failed"
        assert sentence in findings[subject][1]


def test_doctor_looks_and_leaves_nothing_behind(rabbitmq_server: RabbitMqServer, rabbitmq_vhost_url: str) -> None:
    if rabbitmq_server.environment is None:
        pytest.skip("another's RabbitMQ has queues already")
    code, findings = _doctor({"AMQP_URL": rabbitmq_vhost_url})
    assert (code, findings["broker"][0]) == (1, "good")
    assert findings["queue mien.text"][0] == "failed"
    assert "start a worker" in findings["queue mien.text"][1], "it has not made the queue itself"


def test_top_shows_queues_and_workers_with_fusion_and_without(watched: Watched) -> None:
    fusion = ("--fusion", watched.urls["fusion"])
    seen = json.loads(mien("top", "--once", "--json", "--interval", "0.2", *fusion).stdout)
    by_queue = {row["queue"]: row for row in seen["queues"]}
    assert seen["fusion"]
    assert (by_queue["mien.text"]["waiting"], by_queue["mien.text"]["workers"]) == (0, 1)
    assert by_queue["mien.text"]["per_s"] == 0
    away = ("--fusion", f"http://127.0.0.1:{free_port()}")
    without = json.loads(
        mien("top", "--once", "--json", "--interval", "0.2", *away, environment=watched.environment).stdout
    )
    assert not without["fusion"]
    assert {row["queue"]: row["workers"] for row in without["queues"]} == {
        queue: row["workers"] for queue, row in by_queue.items()
    }
