"""Messages that kill their worker, come back, or whose score the broker does not take; over both brokers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Event
from typing import Final

import numpy as np
import pytest

from shared.broker.memory import MemoryBroker, MemoryServer
from shared.broker.port import Broker, Cause, Delivery
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import Modality
from shared.media.jpeg import encode_jpeg
from shared.messages import FrameChunk, Judgement, Message, ModalityScore, ModelRef, SpeechChunk, Status
from shared.messages.details import empty_details
from shared.topology import (
    DEAD_QUEUE,
    DELIVERY_LIMIT,
    FUSION_QUEUE,
    MEDIA_EXCHANGE,
    MEDIA_QUEUES,
    RETRY_EXCHANGE,
    RETRY_QUEUES,
    TOPOLOGY,
    Binding,
    Queue,
)
from shared.worker import Worker
from tests.broker_house import Consumer
from tests.loudness import PATIENCE_S, chunk

KEYS: Final = {Modality.AUDIO: "speech.audio", Modality.FACE: FrameChunk.TYPE}
COUNT: Final = 16
POISON: Final = 5

Connect = Callable[[], Broker]


@pytest.fixture(params=["memory", "rabbitmq"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Give what connects to a server of the test's own, which has the topology."""
    brokers: list[Broker] = []
    server = MemoryServer()
    url = request.getfixturevalue("rabbitmq_vhost_url") if request.param == "rabbitmq" else None

    def connect() -> Broker:
        brokers.append(MemoryBroker(server) if url is None else RabbitMqBroker(url))
        return brokers[-1]

    connect().declare(TOPOLOGY)
    yield connect
    for broker in brokers:
        broker.close()


@pytest.fixture
def deaf() -> MemoryServer:
    """Where no queue takes scores."""
    server = MemoryServer()
    MemoryBroker(server).declare(
        replace(TOPOLOGY, queues=tuple(queue for queue in TOPOLOGY.queues if queue.name != FUSION_QUEUE))
    )
    return server


class SeqScorer:
    """Notes what it is given together, and has nothing to say of it.

    Args:
        modality: What it judges.
        on_poison: Called for the one message that no worker survives.
    """

    model = ModelRef(name="seq", version="1")

    def __init__(self, modality: Modality = Modality.AUDIO, on_poison: Callable[[], None] = lambda: None) -> None:
        self.modality = modality
        self.batches: list[list[int]] = []
        self._on_poison = on_poison

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def score(self, windows: Sequence[int]) -> list[Judgement]:
        self.batches.append(list(windows))
        if POISON in windows:
            self._on_poison()
        details = empty_details(self.modality)
        return [Judgement(status=Status.ABSTAINED, reason="nothing", details=details) for _ in windows]


def read(message: Message) -> tuple[SpeechChunk | FrameChunk, int]:
    contract = FrameChunk if message.type == FrameChunk.TYPE else SpeechChunk
    found = contract.from_message(message)
    return found, found.seq


def message_of(modality: Modality, seq: int) -> Message:
    if modality is Modality.AUDIO:
        return chunk(seq).to_message()
    media = encode_jpeg(np.zeros((32, 32, 3), dtype=np.uint8))
    frame = FrameChunk(session_id="session-0001", seq=seq, at_s=seq, captured_at=datetime.now(UTC), media=media)
    return frame.to_message()


def publish(broker: Broker, modality: Modality, *seqs: int) -> None:
    for seq in seqs:
        broker.publish(MEDIA_EXCHANGE, KEYS[modality], message_of(modality, seq)).result(PATIENCE_S)


@pytest.mark.parametrize("modality", KEYS)
def test_a_message_that_kills_its_worker_takes_no_other_with_it(connect: Connect, modality: Modality) -> None:
    events: SimpleQueue[tuple[str, Delivery | None]] = SimpleQueue()
    observer = connect()
    publish(observer, modality, *range(COUNT))
    observer.consume(FUSION_QUEUE, lambda delivery: events.put(("judged", delivery)), 99)
    observer.consume(DEAD_QUEUE, lambda delivery: events.put(("dead", delivery)), 99)
    workers: list[Worker[int]] = []

    def start_worker() -> None:
        broker = connect()

        def die() -> None:
            # To the broker a process is dead when its connection is; what this one does from now on reaches nobody.
            broker.close()
            events.put(("died", None))

        workers.append(Worker(broker, SeqScorer(modality, die), read, batch_size=4))
        workers[-1].start()

    start_worker()
    seen: dict[str, list[Delivery]] = {"judged": [], "dead": []}
    while len({each.message.headers["seq"] for each in seen["dead"]} | _judged(seen["judged"])) < COUNT:
        what, delivery = events.get(timeout=PATIENCE_S)
        if delivery is None:
            start_worker()
        else:
            delivery.ack()
            seen[what].append(delivery)
    for worker in workers:
        worker.stop()
    assert _judged(seen["judged"]) == set(range(COUNT)) - {POISON}
    (dead,) = seen["dead"]
    assert dead.death is not None
    assert (dead.death.queue, dead.death.cause) == (RETRY_QUEUES[modality], Cause.DELIVERY_LIMIT)
    deaths = len(workers) - 1
    assert DELIVERY_LIMIT < deaths <= DELIVERY_LIMIT + 2, "once in company, then alone"


def _judged(scores: Sequence[Delivery]) -> set[int]:
    return {ModalityScore.from_message(each.message).seq for each in scores}


def test_what_came_back_is_moved_as_it_was_and_judged_alone(connect: Connect) -> None:
    observer, came_back = connect(), [0, 1, 2]
    taps = [
        Queue(name=f"tap.{exchange}", bindings=(Binding(exchange=exchange, pattern="#"),), dead_letter_exchange=None)
        for exchange in (MEDIA_EXCHANGE, RETRY_EXCHANGE)
    ]
    observer.declare(replace(TOPOLOGY, queues=(*TOPOLOGY.queues, *taps)))
    for seq in came_back:
        traced = chunk(seq).model_copy(
            update={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        )
        message = replace(traced.to_message(), expiration_ms=600_000)
        observer.publish(MEDIA_EXCHANGE, KEYS[Modality.AUDIO], message).result(PATIENCE_S)
    dying = connect()
    in_hand = Consumer(dying, MEDIA_QUEUES[Modality.AUDIO])
    for _ in came_back:
        in_hand.take()
    dying.close()
    publish(observer, Modality.AUDIO, 3, 4)
    scorer, scores = SeqScorer(), Consumer(observer, FUSION_QUEUE)
    worker = Worker(connect(), scorer, read)
    worker.start()
    assert _judged([scores.take() for _ in range(5)]) == {*came_back, 3, 4}
    worker.stop()
    assert [batch for batch in scorer.batches if set(batch) & set(came_back)] == [[seq] for seq in came_back]
    sent, moved = (Consumer(observer, tap.name) for tap in taps)
    assert [moved.take().message for _ in came_back] == [sent.take().message for _ in came_back]
    assert all(observer.depth(queues[Modality.AUDIO]) == 0 for queues in (MEDIA_QUEUES, RETRY_QUEUES))


def test_a_chunk_whose_score_is_refused_is_not_acknowledged(deaf: MemoryServer) -> None:
    pauses: SimpleQueue[float] = SimpleQueue()
    dying, observer = MemoryBroker(deaf), MemoryBroker(deaf)
    publish(observer, Modality.AUDIO, 0)

    def pause(draining: Event, pause_s: float) -> None:
        pauses.put(pause_s)
        draining.wait(PATIENCE_S)

    worker = Worker(dying, SeqScorer(), read, pause=pause)
    worker.start()
    assert pauses.get(timeout=PATIENCE_S) > 0
    assert observer.depth(MEDIA_QUEUES[Modality.AUDIO]) == 0, "or it would be judged again at once"
    dying.close()
    worker.stop()
    assert observer.depth(MEDIA_QUEUES[Modality.AUDIO]) == 1


def test_what_is_refused_for_good_is_given_up_after_pauses_that_grow(deaf: MemoryServer) -> None:
    pauses: list[float] = []
    broker, scorer = MemoryBroker(deaf), SeqScorer()
    dead = Consumer(broker, DEAD_QUEUE)
    worker = Worker(broker, scorer, read, pause=lambda _, pause_s: pauses.append(pause_s))
    worker.start()
    publish(broker, Modality.AUDIO, 0)
    death = dead.take().death
    worker.stop()
    assert death is not None
    assert (death.queue, death.cause) == (RETRY_QUEUES[Modality.AUDIO], Cause.DELIVERY_LIMIT)
    assert pauses == [1, 2, 4, 8, 16]
    assert scorer.batches == [[0]] * len(pauses)


def test_a_pause_ends_when_the_worker_is_told_to_stop(deaf: MemoryServer) -> None:
    broker, paused = MemoryBroker(deaf), Event()
    woken: list[bool] = []

    def pause(draining: Event, _: float) -> None:
        paused.set()
        woken.append(draining.wait(PATIENCE_S))

    worker = Worker(broker, SeqScorer(), read, pause=pause)
    worker.start()
    publish(broker, Modality.AUDIO, 0)
    assert paused.wait(PATIENCE_S)
    worker.stop()
    assert woken == [True]
    assert broker.depth(MEDIA_QUEUES[Modality.AUDIO]) == 1, "handed back, and not judged again"
    broker.close()
