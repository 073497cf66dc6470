"""Versions run side by side while an upgrade goes on: each reads what the other writes, and shares its queues."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Barrier
from typing import Any, Final

import numpy as np
import pytest

from shared.broker.memory import MemoryBroker
from shared.broker.port import Delivery
from shared.emotions import EMOTIONS, Modality
from shared.media.flac import encode_flac, read_speech
from shared.messages import AudioDetails, Judgement, Message, ModalityScore, ModelRef, SpeechChunk, Status
from shared.messages.base import JsonContract
from shared.scoring import SpeechWindow
from shared.topology import FUSION_QUEUE, MEDIA_EXCHANGE, MEDIA_QUEUES, TOPOLOGY
from shared.worker import Worker
from tests.contract.wire_examples import FOLDER, examples, pack, topology, unpack

PATIENCE_S: Final = 10
RELEASES: Final = sorted(path.name for path in FOLDER.iterdir())
EXAMPLES: Final = examples()
STORED: Final = [
    pytest.param(name, unpack(packed), id=f"{release} {name}")
    for release in RELEASES
    for name, packed in json.loads((FOLDER / release / "messages.json").read_text()).items()
]


def _shape(value: Any) -> Any:
    """Return the names and types of a JSON value, for what it says may change and what it is may not."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _holds(new: Any, old: Any) -> bool:
    """Say whether a shape has everything that another has."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and _holds(new[name], inner) for name, inner in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and all(_holds(a, b) for a, b in zip(new, old, strict=True))
    return bool(new == old)


def _content(message: Message) -> tuple[Any, Any]:
    body = json.loads(message.body) if message.content_type == JsonContract.CONTENT_TYPE else None
    return _shape(dict(message.headers)), _shape(body)


def _with_news(value: Any) -> Any:
    """Return a JSON value to whose every object a later version has added a field."""
    if isinstance(value, dict):
        return {**{name: _with_news(inner) for name, inner in value.items()}, "field_of_tomorrow": {"deep": [1]}}
    return [_with_news(inner) for inner in value] if isinstance(value, list) else value


def _from_tomorrow(message: Message) -> Message:
    later = replace(message, headers={**message.headers, "header_of_tomorrow": "yes"})
    if message.content_type != JsonContract.CONTENT_TYPE:
        return later
    body = json.loads(message.body)
    # A distribution is a mapping over the seven emotions; its names are values and not fields.
    news = {**_with_news(body), **({"distribution": body["distribution"]} if "distribution" in body else {})}
    return replace(later, body=json.dumps(news).encode())


@pytest.mark.parametrize(("name", "message"), STORED)
def test_what_an_earlier_version_wrote_is_read(name: str, message: Message) -> None:
    read = type(EXAMPLES[name]).from_message(message)
    assert read == EXAMPLES[name]
    assert read.traceparent == EXAMPLES[name].traceparent


@pytest.mark.parametrize(("name", "message"), STORED)
def test_an_earlier_version_finds_in_our_messages_all_that_its_own_had(name: str, message: Message) -> None:
    ours = unpack(pack(EXAMPLES[name].to_message()))
    assert (ours.type, ours.content_type, ours.correlation_id) == (
        message.type, message.content_type, message.correlation_id,
    )  # fmt: skip
    for new, old in zip(_content(ours), _content(message), strict=True):
        assert _holds(new, old), (new, old)


@pytest.mark.parametrize(("name", "message"), STORED)
def test_what_a_later_version_adds_is_passed_over(name: str, message: Message) -> None:
    assert type(EXAMPLES[name]).from_message(_from_tomorrow(message)) == EXAMPLES[name]


@pytest.mark.parametrize("release", RELEASES)
def test_queues_of_an_earlier_version_are_declared_as_they_are(release: str) -> None:
    """RabbitMQ refuses a queue that exists with other arguments; a binding that is gone would starve older workers."""
    then, now = json.loads((FOLDER / release / "topology.json").read_text()), topology()
    assert set(then["exchanges"]) <= set(now["exchanges"])
    assert then["queues"].items() <= now["queues"].items()
    assert [binding for binding in then["bindings"] if binding not in now["bindings"]] == []


def test_every_message_of_this_version_is_kept_for_the_next() -> None:
    newest = Path(FOLDER, RELEASES[-1], "messages.json")
    assert set(json.loads(newest.read_text())) == set(EXAMPLES)


class VersionedScorer:
    """A scorer of some version, which begins when those of all versions have something to judge."""

    modality = Modality.AUDIO

    def __init__(self, version: str, all_busy: Barrier) -> None:
        self.model = ModelRef(name="even", version=version)
        self._all_busy: Barrier | None = all_busy

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def score(self, windows: Sequence[SpeechWindow]) -> list[Judgement]:
        if self._all_busy is not None:
            self._all_busy.wait(PATIENCE_S)
            self._all_busy = None
        even = dict.fromkeys(EMOTIONS, 1 / 7)
        return [Judgement(status=Status.SCORED, mood=3, distribution=even, details=AudioDetails()) for _ in windows]


def test_two_versions_of_a_worker_share_a_queue_and_each_chunk_is_scored_once() -> None:
    broker = MemoryBroker()
    broker.declare(TOPOLOGY)
    media = encode_flac(np.full(1600, 0.5, dtype=np.float32))
    for seq in range(40):
        chunk = SpeechChunk(
            session_id="session-0001", seq=seq, start_s=seq, end_s=seq + 0.1, captured_at=datetime.now(UTC), media=media
        )
        broker.publish(MEDIA_EXCHANGE, "speech.audio", chunk.to_message()).result(PATIENCE_S)
    arrived: SimpleQueue[Delivery] = SimpleQueue()
    broker.consume(FUSION_QUEUE, arrived.put, prefetch=100)
    all_busy = Barrier(2)
    workers = [Worker(broker, VersionedScorer(version, all_busy), read_speech, batch_size=2) for version in ("1", "2")]
    for worker in workers:
        worker.start()
    scores = [ModalityScore.from_message(arrived.get(timeout=PATIENCE_S).message) for _ in range(40)]
    for worker in workers:
        worker.stop()
    assert sorted(score.seq for score in scores) == list(range(40))
    assert {score.model.version for score in scores} == {"1", "2"}
    assert broker.depth(MEDIA_QUEUES[Modality.AUDIO]) == 0
    broker.close()
