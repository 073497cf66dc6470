"""An erased session is searched for: in every key and value of Redis, in every queue, and among the dead letters."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

import numpy as np
import pika
import pytest
import redis
from fastapi.testclient import TestClient

from services.fusion.api import create_app
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore, connect
from services.fusion.worker import FusionWorker
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import EMOTIONS, Modality
from shared.media.flac import encode_flac, read_speech
from shared.messages import Judgement, Message, ModelRef, SpeechChunk, Status, TextDetails
from shared.scoring import SpeechWindow
from shared.sessions import new_session
from shared.topology import MEDIA_EXCHANGE, MEDIA_QUEUES, SCORES_EXCHANGE, SPEECH_KEYS, TOPOLOGY
from shared.worker import Worker

PATIENCE_S: Final = 30.0
SECRET: Final = "the heron waits beside the mill"
CHUNKS: Final = 6


class DictatedScorer:
    """Hears the secret in everything."""

    modality = Modality.TEXT
    model = ModelRef(name="dictated", version="1")

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def score(self, windows: Sequence[SpeechWindow]) -> list[Judgement]:
        even = dict.fromkeys(EMOTIONS, 1 / 7)
        details = TextDetails(transcript=SECRET)
        return [Judgement(status=Status.SCORED, mood=3.0, distribution=even, details=details) for _ in windows]


@pytest.fixture
def store(redis_url: str) -> Iterator[SessionStore]:
    """A database of the shared Redis that nobody else uses."""
    client = connect(redis_url.removesuffix("/0") + "/9")
    client.flushdb()
    yield SessionStore(client)
    client.flushdb()
    client.close()


@pytest.fixture
def broker(rabbitmq_vhost_url: str) -> Iterator[RabbitMqBroker]:
    broker = RabbitMqBroker(rabbitmq_vhost_url)
    broker.declare(TOPOLOGY)
    yield broker
    broker.close()


def everything(client: "redis.Redis") -> Iterator[bytes]:
    """Return every key of Redis with all that it holds, as it would be dumped and as it is read."""
    readers: dict[bytes, Any] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    for key in client.scan_iter(count=1000):
        kind: Any = client.type(key)
        yield key + (client.dump(key) or b"") + repr(readers[kind](key)).encode()


def wait_until_empty(broker: RabbitMqBroker) -> None:
    deadline = monotonic() + PATIENCE_S
    while any(broker.depth(queue.name) for queue in TOPOLOGY.queues):
        assert monotonic() < deadline


def left_in_queues(url: str) -> list[Any]:
    """Return every message of every queue."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        asked = [channel.basic_get(queue.name) for queue in TOPOLOGY.queues]
    return [message for message in asked if message[0] is not None]


def chunk(session_id: str, seq: int) -> Message:
    media = encode_flac(np.full(1600, 0.5, dtype=np.float32))
    place = {"session_id": session_id, "seq": seq, "start_s": seq, "end_s": seq + 1}
    return SpeechChunk.model_validate({**place, "captured_at": datetime.now(UTC), "media": media}).to_message()


def test_nothing_of_an_erased_session_is_left_anywhere(
    store: SessionStore, broker: RabbitMqBroker, rabbitmq_vhost_url: str, redis_url: str
) -> None:
    started, token = new_session([Modality.TEXT])
    session_id, headers = started.session_id, {"Authorization": f"Bearer {token}"}
    worker, fusion = Worker(broker, DictatedScorer(), read_speech), FusionWorker(broker, store)
    api = TestClient(create_app(store, FusionSettings(), broker=broker))
    damaged = replace(chunk(session_id, CHUNKS), body=SECRET.encode())

    def publish(*messages: Message) -> None:
        for message in messages:
            key = SPEECH_KEYS[frozenset({Modality.TEXT})] if message.type == SpeechChunk.TYPE else message.type
            broker.publish(MEDIA_EXCHANGE, key, message).result(PATIENCE_S)

    publish(started.to_message(), *(chunk(session_id, seq) for seq in range(CHUNKS)), damaged)
    fusion.start()
    worker.start()
    deadline = monotonic() + PATIENCE_S
    while (state := store.read(session_id)) is None or state.counts_of(Modality.TEXT).accounted < CHUNKS + 1:
        assert monotonic() < deadline
    with redis.Redis.from_url(redis_url.removesuffix("/0") + "/9") as client:
        before = b"".join(everything(client))
        assert session_id.encode() in before
        assert SECRET.encode() in before
        worker.stop()
        waiting = [chunk(session_id, CHUNKS + 1 + seq) for seq in range(CHUNKS)]
        publish(*waiting)
        assert broker.depth(MEDIA_QUEUES[Modality.TEXT]) == CHUNKS
        assert api.delete(f"/v1/sessions/{session_id}", headers=headers).status_code == 200
        late = Worker(broker, DictatedScorer(), read_speech)
        late.start()
        publish(replace(damaged, message_id="again"))
        stranger = replace(damaged, type="score", content_type="application/json")
        broker.publish(SCORES_EXCHANGE, "score.text", stranger).result(PATIENCE_S)
        wait_until_empty(broker)
        late.stop()
        wait_until_empty(broker)
        fusion.stop()
        heir = FusionWorker(broker, store)  # what the first one refused as it stopped became a dead letter
        heir.start()
        wait_until_empty(broker)
        heir.stop()
        wait_until_empty(broker)
        after = b"".join(everything(client))
    assert session_id.encode() not in after
    assert SECRET.encode() not in after
    assert token.encode() not in before + after
    assert left_in_queues(rabbitmq_vhost_url) == []
    assert api.get(f"/v1/sessions/{session_id}", headers=headers).status_code == 404
