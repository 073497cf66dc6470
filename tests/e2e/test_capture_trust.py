"""``mien capture`` over TLS with an account that may only publish, and with scorers on the person's own machine."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from queue import Queue as Inbox
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import pytest
import trustme

from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from services.fusion.results import build_summary
from services.fusion.state import Phase
from services.fusion.worker import FusionWorker
from shared.broker.port import Delivery
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import Modality
from shared.messages import FrameChunk, Message, ModalityScore, SessionEnded, SessionStarted, SpeechChunk
from shared.topology import MEDIA_EXCHANGE, TOPOLOGY, Binding, Queue
from tests.e2e.command import SAMPLE, mien
from tests.servers import RabbitMqServer
from tests.stores import memory_store

TAP: Final = Queue(name="tap", bindings=(Binding(exchange=MEDIA_EXCHANGE, pattern="#"),), dead_letter_exchange=None)
PASSWORD: Final = "only/for:publishing"
PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class House:
    """A virtual host whose media exchange is overheard.

    Attributes:
        broker: A connection with every right.
        agent_url: What an agent uses that may only publish, over TLS.
        environment: The agent's password, and who vouches for the broker.
        overheard: Everything that was published to the media exchange.
    """

    broker: RabbitMqBroker
    agent_url: str
    environment: dict[str, str]
    overheard: "Inbox[Message]"

    def published(self) -> list[Message]:
        """Return what was published until the end of the session."""
        messages: list[Message] = []
        while not messages or messages[-1].type != SessionEnded.TYPE:
            messages.append(self.overheard.get(timeout=PATIENCE_S))
        with pytest.raises(Empty):
            self.overheard.get_nowait()
        return messages

    def capture(self, *arguments: str | Path, **environment: str) -> dict[str, Any]:
        done = mien(
            "capture", "--file", SAMPLE, "--broker", self.agent_url, "--consent", *arguments,
            environment={**self.environment, **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed


@pytest.fixture(scope="module")
def house(rabbitmq_server: RabbitMqServer) -> Iterator[House]:
    if rabbitmq_server.environment is None:
        pytest.skip("only an own server gets accounts")
    name = f"agent-{uuid4().hex}"
    rabbitmq_server.ctl("add_vhost", name)
    rabbitmq_server.ctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
    rabbitmq_server.ctl("add_user", name, PASSWORD)
    rabbitmq_server.ctl("set_permissions", "-p", name, name, "^$", r"^mien\.media$", "^$")
    place = urlsplit(rabbitmq_server.url).netloc.rpartition("@")[2]
    broker = RabbitMqBroker(f"amqp://guest:guest@{place}/{name}")
    broker.declare(replace(TOPOLOGY, queues=(*TOPOLOGY.queues, TAP)))
    overheard: Inbox[Message] = Inbox()

    def overhear(delivery: Delivery) -> None:
        overheard.put(delivery.message)
        delivery.ack()

    broker.consume(TAP.name, overhear, prefetch=100)
    try:
        environment = {"AMQP_PASSWORD": PASSWORD, "AMQP_CA_FILE": str(rabbitmq_server.ca_file)}
        yield House(broker, f"amqps://{name}@localhost:{rabbitmq_server.tls_port}/{name}", environment, overheard)
    finally:
        broker.close()


def test_an_account_that_may_only_publish_is_enough(house: House) -> None:
    printed = house.capture()
    types = Counter(message.type for message in house.published())
    assert types[SpeechChunk.TYPE] == printed["speech_chunks"] == 3
    assert types[FrameChunk.TYPE] == printed["frames"] == 100


def test_a_broker_that_another_authority_vouches_for_gets_nothing(house: House, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    done = mien(
        "capture", "--file", SAMPLE, "--broker", house.agent_url, "--consent",
        environment={**house.environment, "AMQP_CA_FILE": str(stranger)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "does not prove who it is" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert house.overheard.empty()


def test_raw_sound_on_standard_input_is_cut_like_any_other(house: House, tmp_path: Path) -> None:
    blocks = [item.samples for item in FileSource(SAMPLE, video=False) if isinstance(item, AudioBlock)]
    sound = tmp_path / "sound.raw"
    sound.write_bytes((np.concatenate(blocks) * 32767).astype("<i2").tobytes())
    command = [sys.executable, "-m", "services", "capture", "--stdin", "--broker", house.agent_url]
    environment = {**os.environ, **house.environment}
    with sound.open("rb") as stdin:
        refused = subprocess.run(command, stdin=stdin, env=environment, capture_output=True, text=True, check=False)
        done = subprocess.run(
            [*command, "--consent"], stdin=stdin, env=environment, capture_output=True, text=True, check=False
        )
    assert refused.returncode == 1
    assert "--consent" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert Counter(message.type for message in house.published())[SpeechChunk.TYPE] == 3
    assert json.loads(done.stdout)["duration_s"] == pytest.approx(20, abs=0.2)


def test_what_is_judged_here_leaves_as_scores_alone_and_is_accounted_for(house: House) -> None:
    store = memory_store()
    fusion = FusionWorker(house.broker, store)
    fusion.start()
    try:
        printed = house.capture("--local", "face,audio", "-m", "face", "-m", "audio")
        messages = house.published()
        last = "0"
        while (state := store.read(printed["session_id"])) is None or state.phase is not Phase.COMPLETE:
            events, last = store.wait_for_event(printed["session_id"], last, PATIENCE_S)
            assert events, "nothing more comes"
    finally:
        fusion.stop()
    assert {message.type for message in messages} == {SessionStarted.TYPE, SessionEnded.TYPE, ModalityScore.TYPE}
    assert all(message.content_type == "application/json" for message in messages)
    accounting = build_summary(state).accounting
    for modality, published in ((Modality.FACE, printed["frames"]), (Modality.AUDIO, printed["speech_chunks"])):
        row = accounting[modality]
        assert row.published == published == row.scored + row.abstained > 0
        assert row.failed == row.expired == 0


def test_a_broker_that_nobody_has_set_up_is_said(rabbitmq_vhost_url: str) -> None:
    done = mien("capture", "--file", SAMPLE, "--consent", environment={"AMQP_URL": rabbitmq_vhost_url})
    assert done.returncode == 1
    assert "start the fusion service" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
