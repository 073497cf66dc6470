"""A real RabbitMQ with the definitions of the deployment: each role can do its work, and is refused all else."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

import numpy as np
import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, UnroutableError
from pydantic import SecretStr

from shared.broker.port import Cause, Delivery
from shared.broker.rabbitmq import RabbitMqBroker
from shared.broker.rabbitmq.accounts import PROBE_KEY, ROLES, Passwords, Role, password_hash
from shared.broker.rabbitmq.definitions import definitions
from shared.emotions import EMOTIONS, Modality
from shared.errors import BrokerError
from shared.media.flac import encode_flac, read_speech
from shared.messages import AudioDetails, Judgement, ModalityScore, ModelRef, SpeechChunk, Status
from shared.scoring import SpeechWindow
from shared.settings import BrokerSettings
from shared.topology import (
    DEAD_QUEUE,
    FUSION_QUEUE,
    MEDIA_EXCHANGE,
    MEDIA_QUEUES,
    RETRY_EXCHANGE,
    RETRY_KEYS,
    SCORES_EXCHANGE,
    TOPOLOGY,
)
from shared.worker import Worker
from tests.broker_house import Consumer
from tests.servers import RabbitMqServer

PATIENCE_S: Final = 30
ACCESS_REFUSED: Final = 403
SECRET: Final = "a password of this test"
PASSWORDS: Final = Passwords.model_validate(dict.fromkeys((role.name for role in ROLES), SECRET))
QUEUES: Final = [queue.name for queue in TOPOLOGY.queues]


@pytest.fixture(scope="module")
def vhost(rabbitmq_server: RabbitMqServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if rabbitmq_server.environment is None:
        pytest.skip("accounts are only made at a server of our own")
    vhost = f"rights-{uuid4().hex}"
    file = tmp_path_factory.mktemp("definitions") / "definitions.json"
    file.write_text(json.dumps(definitions(PASSWORDS, vhost)))
    rabbitmq_server.ctl("import_definitions", str(file))
    yield vhost
    rabbitmq_server.ctl("delete_vhost", vhost)


@pytest.fixture(scope="module")
def url_of(rabbitmq_server: RabbitMqServer, vhost: str) -> Callable[[str], str]:
    address = urlsplit(rabbitmq_server.url).netloc.rpartition("@")[2]
    return lambda role: f"amqp://mien-{role}:{quote(SECRET)}@{address}/{vhost}"


@pytest.fixture
def broker_of(url_of: Callable[[str], str]) -> Iterator[Callable[[str], RabbitMqBroker]]:
    """Connects as a role, as a service does that is told not to declare."""
    brokers: list[RabbitMqBroker] = []

    def connect(role: str) -> RabbitMqBroker:
        brokers.append(RabbitMqBroker(BrokerSettings(url=SecretStr(url_of(role)), declare=False)))
        brokers[-1].declare(TOPOLOGY)
        return brokers[-1]

    yield connect
    for broker in brokers:
        broker.close()


class EvenScorer:
    """Everything is as likely as everything else."""

    modality = Modality.AUDIO
    model = ModelRef(name="even", version="1")

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def score(self, windows: Sequence[SpeechWindow]) -> list[Judgement]:
        even = dict.fromkeys(EMOTIONS, 1 / 7)
        return [Judgement(status=Status.SCORED, mood=3, distribution=even, details=AudioDetails()) for _ in windows]


def _chunk(seq: int) -> SpeechChunk:
    media = encode_flac(np.full(1600, 0.5, dtype=np.float32))
    return SpeechChunk(
        session_id="session-0001", seq=seq, start_s=seq, end_s=seq + 0.1, captured_at=datetime.now(UTC), media=media
    )


def test_a_chunk_goes_from_the_agent_to_fusion_and_nobody_may_declare(
    broker_of: Callable[[str], RabbitMqBroker],
) -> None:
    agent, audio, fusion = (broker_of(role) for role in ("agent", "audio", "fusion"))
    scores: SimpleQueue[Delivery] = SimpleQueue()
    dead: SimpleQueue[Delivery] = SimpleQueue()
    fusion.consume(FUSION_QUEUE, scores.put, 10)
    fusion.consume(DEAD_QUEUE, dead.put, 10)
    worker = Worker(audio, EvenScorer(), read_speech)
    worker.start()
    message = _chunk(7).to_message()
    agent.publish(MEDIA_EXCHANGE, "speech.audio", message).result(PATIENCE_S)
    delivery = scores.get(timeout=PATIENCE_S)
    delivery.ack()
    assert ModalityScore.from_message(delivery.message).seq == 7
    agent.publish(MEDIA_EXCHANGE, "speech.audio", replace(message, body=b"no sound")).result(PATIENCE_S)
    lost = dead.get(timeout=PATIENCE_S)
    lost.ack()
    worker.stop()
    assert lost.death is not None
    assert (lost.death.queue, lost.death.cause) == (MEDIA_QUEUES[Modality.AUDIO], Cause.REJECTED)


def test_a_worker_may_set_apart_what_came_back(broker_of: Callable[[str], RabbitMqBroker]) -> None:
    agent, dying, audio, fusion = (broker_of(role) for role in ("agent", "audio", "audio", "fusion"))
    agent.publish(MEDIA_EXCHANGE, "speech.audio", _chunk(8).to_message()).result(PATIENCE_S)
    Consumer(dying, MEDIA_QUEUES[Modality.AUDIO]).take()
    dying.close()
    scores = Consumer(fusion, FUSION_QUEUE)
    worker = Worker(audio, EvenScorer(), read_speech)
    worker.start()
    delivery = scores.take()
    delivery.ack()
    worker.stop()
    assert ModalityScore.from_message(delivery.message).seq == 8


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role.name))
def test_a_role_may_do_its_work_and_nothing_else(role: Role, url_of: Callable[[str], str]) -> None:
    with pika.BlockingConnection(pika.URLParameters(url_of(role.name))) as connection:
        assert _allowed(connection, QUEUES, lambda channel, queue: channel.basic_get(queue)) == set(role.consumes)
        exchanges = [*TOPOLOGY.exchanges, "", "amq.topic"]
        assert _allowed(connection, exchanges, _probe) == set(role.publishes)
        assert not _allowed(connection, QUEUES, lambda channel, queue: channel.queue_delete(queue))
        assert not _allowed(connection, ["mine", *QUEUES], lambda channel, queue: channel.queue_declare(queue))
        assert not _allowed(connection, ["mine"], lambda channel, name: channel.exchange_declare(name))
        assert _allowed(connection, QUEUES, lambda channel, queue: channel.queue_purge(queue)) <= set(role.consumes)
        for exchange in TOPOLOGY.exchanges:
            assert not _allowed(connection, QUEUES, partial(_bind, exchange=exchange))


@pytest.mark.parametrize("modality", Modality)
def test_a_worker_speaks_for_its_own_modality_alone(modality: Modality, url_of: Callable[[str], str]) -> None:
    keys = [*(f"score.{other}" for other in Modality), *RETRY_KEYS.values()]
    with pika.BlockingConnection(pika.URLParameters(url_of(modality))) as connection:
        for exchange in (SCORES_EXCHANGE, RETRY_EXCHANGE):
            spoken = _allowed(connection, keys, partial(_publish, exchange=exchange))
            assert spoken == {f"score.{modality}", RETRY_KEYS[modality]}


@pytest.mark.parametrize("role", [role for role in ROLES if role.looks_at], ids=lambda role: str(role.name))
def test_who_waits_for_workers_or_counts_them_may_look(role: Role, broker_of: Callable[[str], RabbitMqBroker]) -> None:
    broker = broker_of(role.name)
    assert all(broker.depth(queue) >= 0 for queue in role.looks_at)


def test_who_is_told_to_declare_and_may_not_gets_a_sentence(url_of: Callable[[str], str]) -> None:
    broker = RabbitMqBroker(url_of("text"))
    with pytest.raises(BrokerError, match="RabbitMQ refuses: ACCESS_REFUSED"):
        broker.declare(TOPOLOGY)
    broker.close()


def test_what_services_declare_themselves_is_what_the_definitions_hold(
    rabbitmq_server: RabbitMqServer, vhost: str
) -> None:
    """Or RabbitMQ would refuse the one after the other."""
    rabbitmq_server.ctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
    broker = RabbitMqBroker(rabbitmq_server.url.replace("/%2F", f"/{vhost}"))
    broker.declare(TOPOLOGY)
    broker.close()


def test_definitions_in_the_tree_are_the_ones_of_the_code() -> None:
    kept = json.loads(Path("deploy/rabbitmq/definitions.json").read_text())
    assert kept == definitions(), "write it again: python -m shared.broker.rabbitmq.definitions --without-accounts"
    assert "users" not in kept


def test_a_password_hash_is_the_one_of_the_documentation() -> None:
    assert password_hash("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def _allowed(
    connection: pika.BlockingConnection, names: Sequence[str], ask: Callable[[BlockingChannel, str], Any]
) -> set[str]:
    """Return the names with which the question is not refused."""
    allowed = set()
    for name in names:
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            ask(channel, name)
        except UnroutableError:
            allowed.add(name)
        except ChannelClosedByBroker as error:
            if error.reply_code != ACCESS_REFUSED:
                raise
        else:
            allowed.add(name)
        if channel.is_open:
            channel.close()
    return allowed


def _probe(channel: BlockingChannel, exchange: str) -> None:
    _publish(channel, PROBE_KEY, exchange=exchange)


def _publish(channel: BlockingChannel, key: str, *, exchange: str) -> None:
    channel.basic_publish(exchange, key, b"", mandatory=True)


def _bind(channel: BlockingChannel, queue: str, *, exchange: str) -> None:
    channel.queue_bind(queue, exchange, "#")
