"""The real system: every service a process of its own, over a real RabbitMQ and a real Redis."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import MODALITIES, Modality
from shared.media.jpeg import encode_jpeg
from shared.messages import FrameChunk, SessionEnded, SpeechChunk
from shared.sessions import new_session
from shared.topology import MEDIA_EXCHANGE, MEDIA_QUEUES
from tests.camera import served
from tests.e2e import scene
from tests.e2e.command import SAMPLE, mien
from tests.e2e.system import START_S, System, bearer, running_system
from tests.e2e.terminal import CTRL_C, Terminal


@pytest.fixture(scope="module")
def system(rabbitmq_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(rabbitmq_url, redis_url, tmp_path_factory.mktemp("logs")) as system:
        yield system


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
    url = str(system.api.base_url)
    arguments = ("capture", "--file", SAMPLE, "-m", "face", "--fps", "2", "--api", url, "--consent")
    with Terminal(*arguments, environment={"AMQP_URL": system.broker_url}) as terminal:
        terminal.expect("What each modality says")
        terminal.expect("of every chunk (complete)")
        terminal.expect("result  http://127.0.0.1:")
        assert terminal.end() == 0
    assert system.completed(session_of(terminal))["mood"] is not None


def test_microphone_and_camera_together_come_to_a_card_and_an_exact_account(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene.talkative_room(tmp_path, monkeypatch), scene.camera() as camera:
        arguments = ("--microphone", "room", "--camera", camera.url, "--api", str(system.api.base_url), "--consent")
        with Terminal("capture", *arguments, environment={"AMQP_URL": system.broker_url}) as terminal:
            for words in (
                "● RECORDING 0:",
                "broker    connected",
                "dBFS  speech",
                "face seen",
                "of 5",
                "speech    1 sent",
            ):
                terminal.expect(words)
            terminal.press(CTRL_C)
            terminal.expect("What each modality says")
            terminal.expect("of every chunk (complete)")
            terminal.expect("result  http://127.0.0.1:")
            assert terminal.end() == 0
    scene.keep(terminal, "capture-terminal")
    result = system.completed(session_of(terminal))
    print(json.dumps(result["accounting"]))  # noqa: T201
    assert result["mood"] is not None
    account_of = result["accounting"]
    assert account_of["text"]["published"] == account_of["audio"]["published"] > 0
    assert account_of["face"]["scored"] > 0
    assert all(is_exact(account) for account in account_of.values())


def test_a_network_stream_with_sound_and_pictures_ends_by_itself_with_an_exact_account(
    system: System, tmp_path: Path
) -> None:
    scene.cut_film(tmp_path / "film.mkv", seconds=4.5)
    with served(tmp_path) as url:
        done = mien("capture", "--url", f"{url}/film.mkv", "--consent", environment={"AMQP_URL": system.broker_url})
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    result = system.completed(printed)
    print(f"\n{done.stderr}{done.stdout}{json.dumps(result['accounting'])}")  # noqa: T201
    assert printed["duration_s"] == pytest.approx(4.5, abs=0.5)
    assert result["mood"] is not None
    for modality, account in result["accounting"].items():
        assert account["published"] == printed["frames" if modality == "face" else "speech_chunks"] > 0
        assert is_exact(account)


def is_exact(account: dict[str, int]) -> bool:
    return account["published"] == sum(account[each] for each in ("scored", "abstained", "failed", "expired"))


def session_of(terminal: Terminal) -> dict[str, str]:
    """Return id and token of the session whose link was shown."""
    found = re.search(r"#session=([\w-]+)&token=([\w-]+)", terminal.shown)
    assert found is not None
    return {"session_id": found[1], "token": found[2]}


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
