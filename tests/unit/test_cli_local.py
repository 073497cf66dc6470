"""What is judged on the person's machine and what leaves it, over two brokers in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from queue import Empty
from queue import Queue as Inbox
from threading import Event
from typing import Any

import numpy as np
import pytest

from services.cli.local import LoadWorker, LocalBroker, loaders_of
from shared.broker.memory import MemoryBroker
from shared.broker.port import Broker, Delivery
from shared.emotions import Modality
from shared.errors import BrokerError, PublishError
from shared.media.flac import encode_flac, read_speech
from shared.media.jpeg import encode_jpeg, read_frame
from shared.messages import FrameChunk, Message, ModalityScore, SpeechChunk, Status
from shared.messages.details import empty_details
from shared.messages.score import Judgement, ModelRef
from shared.scoring import FrameWindow, SpeechWindow
from shared.topology import FUSION_QUEUE, MEDIA_EXCHANGE, MEDIA_QUEUES, TOPOLOGY, Binding, Queue
from shared.worker import Worker

TAP = Queue(name="tap", bindings=(Binding(exchange=MEDIA_EXCHANGE, pattern="#"),), dead_letter_exchange=None)
PATIENCE_S = 20.0
NOW = datetime.now(UTC)


class Watcher:
    """Abstains from everything, once it is let."""

    def __init__(self, modality: Modality) -> None:
        self.modality = modality
        self.model = ModelRef(name="watcher", version="1")
        self.may_judge = Event()
        self.may_judge.set()

    def warm_up(self) -> None: ...

    def score(self, windows: Sequence[SpeechWindow | FrameWindow]) -> list[Judgement]:
        assert self.may_judge.wait(PATIENCE_S)
        abstained = Judgement(status=Status.ABSTAINED, reason="no_face", details=empty_details(self.modality))
        return [abstained for _ in windows]


class House:
    """A broker elsewhere whose media exchange is overheard, and one here in front of it."""

    def __init__(self, *local: Modality) -> None:
        self.remote = MemoryBroker()
        self.remote.declare(replace(TOPOLOGY, queues=(*TOPOLOGY.queues, TAP)))
        self.overheard: Inbox[Message] = Inbox()
        self.remote.consume(TAP.name, self._overhear, prefetch=100)
        self.scorers = {modality: Watcher(modality) for modality in local}
        self.broker = LocalBroker(self.remote, {modality: self._loader(modality) for modality in local})

    def _loader(self, modality: Modality) -> LoadWorker:
        read: Any = read_frame if modality is Modality.FACE else read_speech

        def load(broker: Broker) -> Worker[Any]:
            return Worker(broker, self.scorers[modality], read, batch_size=1)

        return load

    def _overhear(self, delivery: Delivery) -> None:
        self.overheard.put(delivery.message)
        delivery.ack()

    def publish(self, message: Message) -> "Future[None]":
        return self.broker.publish(MEDIA_EXCHANGE, message.type, message)

    def heard(self, count: int) -> Counter[str]:
        types = Counter(self.overheard.get(timeout=PATIENCE_S).type for _ in range(count))
        with pytest.raises(Empty):
            self.overheard.get_nowait()
        return types


@pytest.fixture
def houses() -> Iterator[list[House]]:
    houses: list[House] = []
    yield houses
    for house in houses:
        for scorer in house.scorers.values():
            scorer.may_judge.set()
        house.broker.close()


def frame(seq: int = 0, *, expiration_ms: int | None = None, media: bytes | None = None) -> Message:
    media = media or encode_jpeg(np.zeros((48, 64, 3), dtype=np.uint8))
    chunk = FrameChunk(session_id="session-0001", seq=seq, at_s=seq / 5, captured_at=NOW, media=media)
    return chunk.to_message(expiration_ms=expiration_ms)


def speech() -> Message:
    media = encode_flac(np.zeros(16_000, dtype=np.float32))
    return SpeechChunk(session_id="session-0001", seq=0, start_s=0, end_s=1, captured_at=NOW, media=media).to_message()


def test_a_picture_that_is_judged_here_leaves_as_its_score(houses: list[House]) -> None:
    houses.append(house := House(Modality.FACE))
    house.publish(frame()).result(PATIENCE_S)
    assert house.heard(1) == {ModalityScore.TYPE: 1}
    assert house.remote.depth(FUSION_QUEUE) == 1
    assert house.remote.depth(MEDIA_QUEUES[Modality.FACE]) == 0


def test_it_counts_as_sent_only_once_its_score_is_there(houses: list[House]) -> None:
    houses.append(house := House(Modality.FACE))
    house.scorers[Modality.FACE].may_judge.clear()
    sent = house.publish(frame())
    with pytest.raises(TimeoutError):
        sent.result(0.05)
    house.scorers[Modality.FACE].may_judge.set()
    sent.result(PATIENCE_S)


@pytest.mark.parametrize(
    ("local", "scores", "there"),
    [
        ({Modality.AUDIO}, 1, {Modality.TEXT: 1, Modality.AUDIO: 0}),
        ({Modality.TEXT}, 1, {Modality.TEXT: 0, Modality.AUDIO: 1}),
        ({Modality.TEXT, Modality.AUDIO}, 2, {Modality.TEXT: 0, Modality.AUDIO: 0}),
        (set(), 0, {Modality.TEXT: 1, Modality.AUDIO: 1}),
    ],
)
def test_sound_goes_only_to_those_who_judge_it_elsewhere(
    houses: list[House], local: set[Modality], scores: int, there: dict[Modality, int]
) -> None:
    houses.append(house := House(*local))
    house.publish(speech()).result(PATIENCE_S)
    assert {each: house.remote.depth(MEDIA_QUEUES[each]) for each in there} == there
    media = int(any(there.values()))
    types = house.heard(scores + media)
    assert (types[ModalityScore.TYPE], types[SpeechChunk.TYPE]) == (scores, media)


def test_a_picture_that_waited_too_long_or_is_none_is_booked_as_failed(houses: list[House]) -> None:
    houses.append(house := House(Modality.FACE))
    scorer = house.scorers[Modality.FACE]
    scorer.may_judge.clear()
    sent = [house.publish(frame(seq)) for seq in range(2)]
    house.publish(frame(2, expiration_ms=1)).result(PATIENCE_S)
    scorer.may_judge.set()
    house.publish(frame(3, media=b"no picture")).result(PATIENCE_S)
    for each in sent:
        each.result(PATIENCE_S)
    scores = [ModalityScore.from_message(house.overheard.get(timeout=PATIENCE_S)) for _ in range(4)]
    reasons = {score.seq: score.reason for score in scores}
    assert reasons == {0: "no_face", 1: "no_face", 2: "too_late", 3: "rejected"}


def test_a_score_that_the_other_broker_refuses_was_not_sent(houses: list[House]) -> None:
    house = House(Modality.FACE)
    houses.append(house)
    bare = MemoryBroker()
    bare.declare(replace(TOPOLOGY, queues=()))
    broker = LocalBroker(bare, {Modality.FACE: house._loader(Modality.FACE)})
    with pytest.raises(PublishError):
        broker.publish(MEDIA_EXCHANGE, FrameChunk.TYPE, frame()).result(PATIENCE_S)
    broker.close()


def test_closing_fails_what_is_still_waited_for(houses: list[House]) -> None:
    houses.append(house := House(Modality.FACE))
    house.remote.close()
    with pytest.raises(BrokerError):
        house.publish(frame()).result(PATIENCE_S)


def test_the_loaders_are_those_of_the_services() -> None:
    assert list(loaders_of({Modality.FACE})) == [Modality.FACE]
