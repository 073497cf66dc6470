"""The real system: every service a process of its own, over a real RabbitMQ and a real Redis."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import numpy as np
import pytest

from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import MODALITIES, Modality
from shared.media.jpeg import encode_jpeg
from shared.messages import FrameChunk, SessionEnded, SpeechChunk
from shared.sessions import new_session
from shared.topology import MEDIA_EXCHANGE, MEDIA_QUEUES
from tests.e2e.command import SAMPLE, mien
from tests.e2e.terminal import Terminal
from tests.servers import free_port

START_S: Final = 90.0
COMPLETE_S: Final = 90.0
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The running services.

    Attributes:
        broker_url: Where their RabbitMQ is.
        api: A client of the fusion service.
        environment: What their processes were given.
        processes: They themselves, by name.
    """

    broker_url: str
    api: httpx.Client
    environment: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"]

    def capture(self, *arguments: str | Path) -> dict[str, Any]:
        """Publish the sample and return what the agent printed."""
        done = mien("capture", "--file", SAMPLE, "--consent", *arguments, environment={"AMQP_URL": self.broker_url})
        assert done.returncode == 0, done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    def completed(self, session: dict[str, Any]) -> dict[str, Any]:
        """Wait until every chunk of a session is accounted for, and return its result."""
        path = f"/v1/sessions/{session['session_id']}"
        result: dict[str, Any] = {}

        def is_complete() -> bool:
            answer = self.api.get(path, headers=bearer(session))
            result.update(answer.json())
            return answer.status_code == 200 and result["status"] == "complete"

        self.wait_until(is_complete, lambda: str(result))
        return result

    def wait_until(self, is_true: Callable[[], bool], explain: Callable[[], str]) -> None:
        """Ask again and again, within a bound, as long as the fusion service lives."""
        wait_beside(self.processes["fusion"], is_true, COMPLETE_S, explain)


def bearer(session: dict[str, Any]) -> dict[str, str]:
    """Return the header that opens a session."""
    return {"Authorization": f"Bearer {session['token']}"}


def wait_beside(
    process: "subprocess.Popen[bytes]", is_true: Callable[[], bool], seconds: float, explain: Callable[[], str]
) -> None:
    """Ask again and again, within a bound, as long as a process lives."""
    deadline = monotonic() + seconds
    while not is_true():
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"{process.args!r} ended with {process.wait(POLL_S)}: {explain()}")
        assert monotonic() < deadline, explain()


@pytest.fixture(scope="module")
def system(rabbitmq_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    port = free_port()
    logs = tmp_path_factory.mktemp("logs")
    environment = {
        **os.environ, "AMQP_URL": rabbitmq_url, "REDIS_URL": redis_url, "FUSION_PORT": str(port),
    }  # fmt: skip
    health = {modality: free_port() for modality in MODALITIES}
    with ExitStack() as stack:
        processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("fusion", *MODALITIES):
            extra = {} if name == "fusion" else {"WORKER_HEALTH_PORT": str(health[Modality(name)])}
            log = stack.enter_context((logs / f"{name}.log").open("wb"))
            processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}"], env={**environment, **extra}, stdout=log, stderr=log
            )
            stack.callback(_kill, processes[name])
        api = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10))
        urls: dict[str, str] = {
            "fusion": f"http://127.0.0.1:{port}",
            **{name: f"http://127.0.0.1:{at}" for name, at in health.items()},
        }
        for name, url in urls.items():
            wait_beside(processes[name], partial(_is_ready, url), START_S, partial(_tails, logs))
        yield System(broker_url=rabbitmq_url, api=api, environment=environment, processes=processes)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _tails(logs: Path) -> str:
    return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in logs.iterdir())


@pytest.fixture(scope="module")
def session(system: System) -> dict[str, Any]:
    return system.capture()


def test_sample_goes_from_the_agent_to_the_result(system: System, session: dict[str, Any]) -> None:
    result = system.completed(session)
    assert 1 <= result["mood"]["score"] <= 5
    for modality, row in result["accounting"].items():
        published = session["frames"] if modality == "face" else session["speech_chunks"]
        assert row["published"] == published > 0
        assert published == row["scored"] + row["abstained"] + row["failed"] + row["expired"]
        assert result["modalities"][modality]["weight"] > 0


def test_real_and_embedded_system_agree(system: System, session: dict[str, Any]) -> None:
    real = system.completed(session)
    embedded = json.loads(mien("analyze", SAMPLE, "--json").stdout)
    assert real["accounting"] == embedded["accounting"]
    assert real["mood"]["score"] == pytest.approx(embedded["mood"]["score"], abs=0.05)


def test_timeline_covers_the_sample(system: System, session: dict[str, Any]) -> None:
    system.completed(session)
    answer = system.api.get(f"/v1/sessions/{session['session_id']}/timeline", headers=bearer(session))
    assert answer.status_code == 200
    assert len(answer.json()["timeline"]) >= 15


def test_only_its_own_token_opens_a_session(system: System, session: dict[str, Any]) -> None:
    path = f"/v1/sessions/{session['session_id']}"
    assert system.api.get(path).status_code == 401
    wrong = system.api.get(path, headers={"Authorization": "Bearer guess"})
    unknown = system.api.get("/v1/sessions/unknown-session", headers=bearer(session))
    assert wrong.status_code == unknown.status_code == 404
    assert wrong.json()["title"] == unknown.json()["title"]


def test_session_made_over_http_takes_a_recording(system: System) -> None:
    wanted = {"consent": True, "purpose": "personal", "modalities": ["text"]}
    made = system.api.post("/v1/sessions", json=wanted)
    assert made.status_code == 201, made.text
    done = mien(
        "capture", "--file", SAMPLE, "--consent", "-m", "text", "--session", made.json()["session_id"],
        environment={"AMQP_URL": system.broker_url, "MIEN_SESSION_TOKEN": made.json()["token"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = system.completed(made.json())
    assert list(result["accounting"]) == ["text"]


def test_erased_session_is_gone(system: System) -> None:
    erased = system.capture("-m", "face")
    system.completed(erased)
    path = f"/v1/sessions/{erased['session_id']}"
    assert system.api.delete(path, headers=bearer(erased)).status_code == 200
    assert system.api.get(path, headers=bearer(erased)).status_code == 404


def test_documentation_and_health_are_open(system: System) -> None:
    for path in ("/healthz", "/readyz", "/docs"):
        assert system.api.get(path).status_code == 200


def test_capture_needs_consent_and_a_lawful_purpose(system: System) -> None:
    for arguments in ([], ["--consent", "--purpose", "workplace"]):
        done = mien("capture", "--file", SAMPLE, *arguments, environment={"AMQP_URL": system.broker_url})
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_person_at_a_terminal_sees_the_mood_forgets_and_deletes(system: System) -> None:
    url = str(system.api.base_url)
    arguments = ("capture", "--file", SAMPLE, "--realtime", "-m", "face", "--api", url)
    with Terminal(*arguments, environment={"AMQP_URL": system.broker_url}) as terminal:
        terminal.expect("NOT encrypted")
        terminal.press("research\n")
        terminal.expect("agree?")
        terminal.press("y\n")
        terminal.expect("face seen")
        terminal.expect("of 5")
        terminal.press("f")
        terminal.expect("The last minute is forgotten")
        terminal.press("d")
        terminal.expect("Delete everything about this session?")
        terminal.press("y")
        terminal.expect("The session is erased")
        assert terminal.end() == 0


def test_a_person_at_a_terminal_gets_the_card_and_a_link(system: System) -> None:
    arguments = (
        "capture",
        "--file",
        SAMPLE,
        "-m",
        "face",
        "--fps",
        "2",
        "--api",
        str(system.api.base_url),
        "--consent",
    )
    with Terminal(*arguments, environment={"AMQP_URL": system.broker_url}) as terminal:
        terminal.expect("What each modality says")
        terminal.expect("of every chunk (complete)")
        terminal.expect("result  http://127.0.0.1:")
        assert terminal.end() == 0
    found = re.search(r"#session=([\w-]+)&token=([\w-]+)", terminal.shown)
    assert found is not None
    session_id, token = found.groups()
    assert system.completed({"session_id": session_id, "token": token})["mood"] is not None


def test_damaged_media_is_booked_as_failed_and_the_workers_go_on(system: System) -> None:
    started, token = new_session(MODALITIES)
    now = datetime.now(UTC)
    bomb = bytearray(encode_jpeg(np.zeros((64, 64, 3), dtype=np.uint8)))
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = (50_000).to_bytes(2) + (50_000).to_bytes(2)
    speech = SpeechChunk(session_id=started.session_id, seq=0, start_s=0, end_s=1, captured_at=now, media=b"no sound")
    frame = FrameChunk(session_id=started.session_id, seq=0, at_s=0, captured_at=now, media=bytes(bomb))
    ended = SessionEnded(session_id=started.session_id, duration_s=1, speech_chunks=1, frames=1)
    broker = RabbitMqBroker(system.broker_url)
    try:
        for contract in (started, speech, frame, ended):
            message = contract.to_message()
            broker.publish(MEDIA_EXCHANGE, message.type, message).result(START_S)
        foreign = replace(speech.to_message(), type="greeting", headers={})
        broker.publish(MEDIA_EXCHANGE, SpeechChunk.TYPE, foreign).result(START_S)
    finally:
        broker.close()
    result = system.completed({"session_id": started.session_id, "token": token})
    assert {modality: row["failed"] for modality, row in result["accounting"].items()} == dict.fromkeys(MODALITIES, 1)
    assert result["mood"] is None
    assert all(system.processes[modality].poll() is None for modality in MODALITIES)


def test_worker_told_to_stop_leaves_its_queue_to_the_next(system: System) -> None:
    worker = system.processes["text"]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    left = system.capture("-m", "text")
    broker = RabbitMqBroker(system.broker_url)
    try:
        assert broker.depth(MEDIA_QUEUES[Modality.TEXT]) == left["speech_chunks"]
    finally:
        broker.close()
    following = subprocess.Popen([sys.executable, "-m", "services.text"], env=system.environment)
    try:
        assert system.completed(left)["accounting"]["text"]["scored"] > 0
    finally:
        following.send_signal(signal.SIGTERM)
        assert following.wait(30) == 0
