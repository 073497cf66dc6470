"""``mien capture`` as scripts run it: a camera that is not there yet, and signals that end it with an exact account."""

import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue as Inbox
from typing import Any, Final

import pytest

from shared.broker.port import Delivery
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import Modality
from shared.messages import FrameChunk, Message, SessionEnded, SessionStarted, SpeechChunk
from shared.topology import MEDIA_EXCHANGE, MEDIA_QUEUES, TOPOLOGY, Binding, Queue
from tests.e2e.command import SAMPLE
from tests.e2e.terminal import Terminal, own_terminal
from tests.servers import free_port

TAP: Final = Queue(name="tap", bindings=(Binding(exchange=MEDIA_EXCHANGE, pattern="#"),), dead_letter_exchange=None)
PATIENCE_S: Final = 60.0


@pytest.fixture
def published(rabbitmq_vhost_url: str) -> Iterator["Inbox[Message]"]:
    """Everything that is published to the media exchange, in order."""
    messages: Inbox[Message] = Inbox()

    def take(delivery: Delivery) -> None:
        messages.put(delivery.message)
        delivery.ack()

    broker = RabbitMqBroker(rabbitmq_vhost_url)
    broker.declare(replace(TOPOLOGY, queues=(*TOPOLOGY.queues, TAP)))
    broker.consume(TAP.name, take, prefetch=100)
    yield messages
    broker.close()


@contextmanager
def capturing(url: str, *arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """Run the agent, and end it for good afterwards."""
    command = [sys.executable, "-m", "services", "capture", *map(str, arguments), "--consent", "--purpose", "research"]
    environment = {**os.environ, "AMQP_URL": url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as agent:
        try:
            yield agent
        finally:
            agent.kill()


def ended_by(agent: "subprocess.Popen[str]", number: signal.Signals) -> dict[str, Any]:
    """Signal the agent, and return what it says at its end."""
    agent.send_signal(number)
    said, complaint = agent.communicate(timeout=PATIENCE_S)
    assert agent.returncode == 0, complaint
    printed: dict[str, Any] = json.loads(said)
    return printed


def run_until_signalled(
    published: "Inbox[Message]", url: str, number: signal.Signals
) -> tuple[list[Message], dict[str, Any]]:
    """Let the agent play the sample until a sentence is under way, signal it, and return what it sent and said."""
    messages: list[Message] = []
    with capturing(url, "--file", SAMPLE, "--realtime") as agent:
        while not any(m.type == FrameChunk.TYPE and FrameChunk.from_message(m).at_s > 1.5 for m in messages):
            messages.append(published.get(timeout=PATIENCE_S))
        printed = ended_by(agent, number)
    while messages[-1].type != SessionEnded.TYPE:
        messages.append(published.get(timeout=PATIENCE_S))
    return messages, printed


def test_a_signal_ends_the_session_with_exact_counts(published: "Inbox[Message]", rabbitmq_vhost_url: str) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        messages, printed = run_until_signalled(published, rabbitmq_vhost_url, number)
        ended = SessionEnded.from_message(messages[-1])
        (speech,) = [SpeechChunk.from_message(message) for message in messages if message.type == SpeechChunk.TYPE]
        assert ended.speech_chunks == 1
        assert speech.start_s < 1 < speech.end_s < ended.duration_s + 0.001 < 12, "the sentence was under way"
        assert ended.frames == sum(message.type == FrameChunk.TYPE for message in messages) == printed["frames"]


def test_a_terminal_that_is_closed_ends_the_session_and_what_opens_it_is_kept(
    published: "Inbox[Message]", rabbitmq_vhost_url: str, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    own, its = pty.openpty()
    command = [sys.executable, "-m", "services", "capture", "--file", str(SAMPLE), "--realtime"]
    with kept.open("w") as stdout:
        agent = subprocess.Popen(
            [*command, "-m", "face", "--consent"],
            stdin=its,
            stdout=stdout,
            stderr=its,
            env={**os.environ, "AMQP_URL": rabbitmq_vhost_url, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=own_terminal,  # noqa: PLW1509  (nothing else makes it hang up)
        )
    os.close(its)
    started = SessionStarted.from_message(published.get(timeout=PATIENCE_S))
    while published.get(timeout=PATIENCE_S).type != FrameChunk.TYPE:
        continue
    os.close(own)
    try:
        assert agent.wait(PATIENCE_S) == 0
    finally:
        agent.kill()
    while (message := published.get(timeout=PATIENCE_S)).type != SessionEnded.TYPE:
        continue
    printed = json.loads(kept.read_text())
    assert printed["session_id"] == started.session_id == message.correlation_id
    assert hashlib.sha256(printed["token"].encode()).hexdigest() == started.token_sha256


def test_the_token_is_shown_though_the_session_cannot_be_erased(
    published: "Inbox[Message]", rabbitmq_vhost_url: str
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    arguments = ("--file", SAMPLE, "--realtime", "-m", "face", "--api", nobody, "--consent", "--purpose", "research")
    with Terminal("capture", *arguments, environment={"AMQP_URL": rabbitmq_vhost_url}) as terminal:
        started = SessionStarted.from_message(published.get(timeout=PATIENCE_S))
        while published.get(timeout=PATIENCE_S).type != FrameChunk.TYPE:
            continue
        terminal.press("d")
        terminal.expect("Delete everything about this session?")
        terminal.press("y")
        terminal.expect("was not erased")
        assert terminal.end() == 1
    found = re.search(r"session (\S+) +token (\S+)", terminal.shown)
    assert found is not None, terminal.shown
    assert found[1] == started.session_id
    assert hashlib.sha256(found[2].encode()).hexdigest() == started.token_sha256


def test_the_token_is_printed_though_the_broker_takes_no_pictures(rabbitmq_vhost_url: str) -> None:
    broker = RabbitMqBroker(rabbitmq_vhost_url)
    faceless = tuple(queue for queue in TOPOLOGY.queues if queue.name != MEDIA_QUEUES[Modality.FACE])
    broker.declare(replace(TOPOLOGY, queues=faceless))
    broker.close()
    with capturing(rabbitmq_vhost_url, "--file", SAMPLE, "-m", "face") as agent:
        said, complaint = agent.communicate(timeout=PATIENCE_S)
    assert agent.returncode == 1
    assert "The broker takes nothing" in complaint
    assert set(json.loads(said)) == {"session_id", "token"}


def test_a_camera_that_is_not_there_yet_is_a_sentence_and_its_pictures_come_when_it_is(
    published: "Inbox[Message]", rabbitmq_vhost_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "camera"
    with capturing(rabbitmq_vhost_url, "--no-microphone", "--camera", path) as agent:
        assert agent.stderr is not None
        lines = iter(agent.stderr.readline, "")
        sentence = next(line for line in lines if "There is no camera" in line)
        path.symlink_to(SAMPLE.absolute())
        while published.get(timeout=PATIENCE_S).type != FrameChunk.TYPE:
            continue
        printed = ended_by(agent, signal.SIGTERM)
    print(f"\n{sentence}{json.dumps(printed)}")  # noqa: T201
    assert "● RECORDING 0:0" in sentence
    assert sentence.rstrip().endswith("It goes on when it returns.")
    assert printed["frames"] > 0
