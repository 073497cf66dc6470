"""``mien capture`` told to end by a signal: what was being said is sent, and the account is exact."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from queue import Queue as Inbox
from typing import Final

import pytest

from shared.broker.port import Delivery
from shared.broker.rabbitmq import RabbitMqBroker
from shared.messages import FrameChunk, Message, SessionEnded, SpeechChunk
from shared.topology import MEDIA_EXCHANGE, TOPOLOGY, Binding, Queue
from tests.e2e.command import SAMPLE

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


def run_until_signalled(
    published: "Inbox[Message]", url: str, number: signal.Signals
) -> tuple[list[Message], dict[str, int]]:
    """Let the agent play the sample until a sentence is under way, signal it, and return what it sent and said."""
    command = [sys.executable, "-m", "services", "capture", "--file", str(SAMPLE), "--realtime", "--consent"]
    messages: list[Message] = []
    with subprocess.Popen(
        [*command, "--purpose", "research"],
        env={**os.environ, "AMQP_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as agent:
        try:
            while not any(m.type == FrameChunk.TYPE and FrameChunk.from_message(m).at_s > 1.5 for m in messages):
                messages.append(published.get(timeout=PATIENCE_S))
            agent.send_signal(number)
            printed, complaint = agent.communicate(timeout=PATIENCE_S)
        finally:
            agent.kill()
    assert agent.returncode == 0, complaint
    while messages[-1].type != SessionEnded.TYPE:
        messages.append(published.get(timeout=PATIENCE_S))
    return messages, json.loads(printed)


def test_a_signal_ends_the_session_with_exact_counts(published: "Inbox[Message]", rabbitmq_vhost_url: str) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        messages, printed = run_until_signalled(published, rabbitmq_vhost_url, number)
        ended = SessionEnded.from_message(messages[-1])
        (speech,) = [SpeechChunk.from_message(message) for message in messages if message.type == SpeechChunk.TYPE]
        assert ended.speech_chunks == 1
        assert speech.start_s < 1 < speech.end_s < ended.duration_s + 0.001 < 12, "the sentence was under way"
        assert ended.frames == sum(message.type == FrameChunk.TYPE for message in messages) == printed["frames"]
