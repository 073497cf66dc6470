"""``python -m services.fusion`` as a process."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Timer
from uuid import uuid4

import httpx
import pytest

from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import EMOTIONS, Modality
from shared.messages.details import FaceDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded, SessionStarted
from shared.settings import BrokerSettings
from shared.topology import MEDIA_EXCHANGE, SCORES_EXCHANGE
from tests.e2e.command import SAMPLE
from tests.servers import free_port

PATIENCE_S = 60
TOKEN = "a-token-of-this-test"


@contextmanager
def service(*command: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """The service as a process, killed where it hangs."""
    command = (sys.executable, "-m", *(command or ("services.fusion",)))
    environment = {**os.environ, "FUSION_PORT": "0", **environment}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        patience = Timer(PATIENCE_S, process.kill)
        patience.start()
        try:
            yield process
        finally:
            patience.cancel()
            process.kill()


def port_of(process: "subprocess.Popen[str]") -> int:
    """Wait until it says that it is ready, and on which port."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r'"message": "ready".*"port": (\d+)', line):
            return int(found.group(1))
    pytest.fail("it is never ready: " + "".join(lines))


def test_a_session_goes_from_rabbitmq_to_http_and_sigterm_ends_it_cleanly(
    rabbitmq_vhost_url: str, redis_url: str
) -> None:
    session_id = f"session-{uuid4()}"
    with service(AMQP_URL=rabbitmq_vhost_url, REDIS_URL=redis_url) as process:
        port = port_of(process)
        publish_session(rabbitmq_vhost_url, session_id)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as api:
            assert api.get("/readyz").status_code == 200
            while (answer := api.get(f"/v1/sessions/{session_id}").json()).get("status") != "complete":
                assert process.poll() is None
            assert answer["accounting"]["face"]["scored"] == 10
            assert api.delete(f"/v1/sessions/{session_id}").status_code == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, log
        assert '"message": "stopped"' in log


def publish_session(url: str, session_id: str) -> None:
    broker = RabbitMqBroker(BrokerSettings.model_validate({"url": url}))
    started = SessionStarted(
        session_id=session_id,
        token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
        consent=True,
        purpose="personal",
        modalities=(Modality.FACE,),
        agent_version="test",
        started_at=datetime.now(UTC),
    )
    frames = [
        ModalityScore(
            session_id=session_id,
            modality=Modality.FACE,
            seq=seq,
            start_s=seq / 5,
            end_s=seq / 5,
            status=Status.SCORED,
            mood=3.0,
            distribution=dict.fromkeys(EMOTIONS, 1 / 7),
            quality=0.8,
            details=FaceDetails(),
            model=ModelRef(name="model", version="1"),
        )
        for seq in range(10)
    ]
    ended = SessionEnded(session_id=session_id, duration_s=2, speech_chunks=0, frames=len(frames))
    confirms = [broker.publish(MEDIA_EXCHANGE, each.TYPE, each.to_message()) for each in (started, ended)]
    confirms += [broker.publish(SCORES_EXCHANGE, "score.face", frame.to_message()) for frame in frames]
    for confirm in confirms:
        confirm.result(PATIENCE_S)
    broker.close()


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("REDIS_URL", "redis://:secret@127.0.0.1:1/0", "Redis does not answer at 127.0.0.1"),
        ("REDIS_URL", "http://secret", "REDIS_URL: it must look like redis://"),
        ("FUSION_API_KEYS", "not-a-digest", "FUSION_API_KEYS"),
        ("FUSION_PORT", "99999", "FUSION_PORT"),
    ],
)
def test_what_is_missing_is_said_in_one_line(variable: str, value: str, sentence: str) -> None:
    with service(**{variable: value}) as process:
        _, log = process.communicate()
    assert process.returncode == 1
    assert len(log.strip().splitlines()) == 1, log
    assert sentence in log
    assert "secret" not in log


def test_without_rabbitmq_it_says_so_in_one_sentence(redis_url: str) -> None:
    url = f"amqp://guest:secret@127.0.0.1:{free_port()}/%2F"
    with service(REDIS_URL=redis_url, AMQP_URL=url, AMQP_CONNECT_TIMEOUT_S="2") as process:
        _, log = process.communicate()
    assert process.returncode == 1
    assert "secret" not in log
    assert "Traceback" not in log
    assert "AMQP_URL" in log.strip().splitlines()[-1]


def test_with_the_agent_beside_it_it_takes_recordings_into_the_real_system(
    rabbitmq_vhost_url: str, redis_url: str
) -> None:
    urls = {"AMQP_URL": rabbitmq_vhost_url, "REDIS_URL": redis_url, "FUSION_RATE": "10000"}
    with service("services.connected", **urls) as process:
        with httpx.Client(base_url=f"http://127.0.0.1:{port_of(process)}", timeout=30) as api:
            wanted = {"consent": True, "purpose": "personal", "modalities": ["face"]}
            made = api.post("/v1/sessions", json=wanted).json()
            path, headers = f"/v1/sessions/{made['session_id']}", {"Authorization": f"Bearer {made['token']}"}
            assert api.post(f"{path}/media", content=SAMPLE.read_bytes(), headers=headers).status_code == 202
            while (answer := api.get(path, headers=headers).json())["status"] == "live":
                assert process.poll() is None
            assert answer["status"] == "draining"
            assert answer["accounting"]["face"]["published"] >= 90
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0


def test_without_an_agent_it_says_where_recordings_go(rabbitmq_vhost_url: str, redis_url: str) -> None:
    with service(AMQP_URL=rabbitmq_vhost_url, REDIS_URL=redis_url) as process:
        base = f"http://127.0.0.1:{port_of(process)}/v1/sessions"
        made = httpx.post(base, json={"consent": True, "purpose": "personal"}).json()
        headers = {"Authorization": f"Bearer {made['token']}"}
        answer = httpx.post(f"{base}/{made['session_id']}/media", content=b"film", headers=headers)
        assert (answer.status_code, "mien serve" in answer.json()["detail"]) == (501, True)
