"""The fusion worker over the broker in memory and fakeredis: everything that happens to a session is accounted for."""

import hashlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import fakeredis
import pytest

from services.fusion.results import build_summary
from services.fusion.state import Outcome, Phase, SessionState
from services.fusion.store import SessionStore
from services.fusion.store.keys import Keys
from services.fusion.worker import FusionWorker
from shared.broker.memory import MemoryBroker, MemoryServer
from shared.emotions import EMOTIONS, Modality, mood_of
from shared.messages.details import FaceDetails
from shared.messages.frame import FrameChunk
from shared.messages.message import Message
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import Purpose, SessionEnded, SessionStarted
from shared.topology import FUSION_QUEUE, MEDIA_EXCHANGE, MEDIA_QUEUES, SCORES_EXCHANGE, TOPOLOGY

SESSION = "session-0001"
PATIENCE_S = 10


class Noticed(logging.Handler):
    """Tells when something is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.noticed = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        assert record.levelno == logging.WARNING
        self.noticed.set()


@pytest.fixture
def worker(broker: MemoryBroker, store: SessionStore) -> Iterator[FusionWorker]:
    worker = FusionWorker(broker, store)
    worker.start()
    yield worker
    worker.stop()
    assert not worker.alive


def started(purpose: Purpose = "personal") -> Message:
    return SessionStarted(
        session_id=SESSION,
        token_sha256=hashlib.sha256(b"token").hexdigest(),
        consent=True,
        purpose=purpose,
        modalities=(Modality.FACE,),
        agent_version="test",
        started_at=datetime.now(UTC),
    ).to_message()


def ended(frames: int) -> Message:
    return SessionEnded(session_id=SESSION, duration_s=frames / 5, speech_chunks=0, frames=frames).to_message()


def frame(seq: int) -> FrameChunk:
    return FrameChunk(session_id=SESSION, seq=seq, at_s=seq / 5, captured_at=datetime.now(UTC), media=b"not looked at")


def score(seq: int) -> Message:
    return ModalityScore(
        session_id=SESSION,
        modality=Modality.FACE,
        seq=seq,
        start_s=seq / 5,
        end_s=seq / 5,
        status=Status.SCORED,
        mood=float(mood_of([1 / 7] * 7)),
        distribution=dict.fromkeys(EMOTIONS, 1 / 7),
        quality=0.8,
        details=FaceDetails(),
        model=ModelRef(name="model", version="1"),
    ).to_message()


def publish(broker: MemoryBroker, *messages: Message) -> None:
    for message in messages:
        exchange = SCORES_EXCHANGE if message.type == ModalityScore.TYPE else MEDIA_EXCHANGE
        key = f"{message.type}.face" if message.type == ModalityScore.TYPE else message.type
        broker.publish(exchange, key, message).result(PATIENCE_S)


def until_complete(store: SessionStore) -> SessionState:
    last = "0"
    while True:
        state = store.read(SESSION)
        if state is not None and state.phase is Phase.COMPLETE:
            return state
        events, last = store.wait_for_event(SESSION, last, PATIENCE_S)
        assert events, f"nothing more came: {state}"


@pytest.mark.usefixtures("worker")
def test_scores_become_a_session(broker: MemoryBroker, store: SessionStore) -> None:
    publish(broker, started(), *(score(seq) for seq in range(500)), ended(500))
    state = until_complete(store)
    assert state.counts_of(Modality.FACE).of(Outcome.SCORED) == 500
    assert build_summary(state).mood is not None
    assert broker.depth(FUSION_QUEUE) == 0


@pytest.mark.usefixtures("worker")
def test_twice_and_in_any_order_is_the_same(broker: MemoryBroker, store: SessionStore) -> None:
    publish(broker, ended(3), score(2), score(0), score(2), started(), score(1), started(), score(0))
    assert until_complete(store).counts_of(Modality.FACE).outcomes == {Outcome.SCORED: 3}


@pytest.mark.usefixtures("worker")
def test_what_expires_and_what_is_rejected_is_counted(broker: MemoryBroker, store: SessionStore) -> None:
    publish(broker, started(), score(0), ended(3))
    publish(broker, frame(1).to_message(expiration_ms=1))
    broker.consume(MEDIA_QUEUES[Modality.FACE], lambda delivery: delivery.reject(), prefetch=1)
    publish(broker, frame(2).to_message())
    state = until_complete(store)
    accounting = build_summary(state).accounting[Modality.FACE]
    assert accounting.published == 3
    assert accounting.scored == 1
    assert accounting.expired + accounting.failed == 2


def test_an_undecodable_message_is_dead_lettered_and_the_worker_goes_on(
    broker: MemoryBroker, store: SessionStore, worker: FusionWorker
) -> None:
    publish(broker, started())
    stranger = replace(score(0), body=b"{", correlation_id="session-of-nobody")
    wrong = replace(score(1), body=score(1).body.replace(b'"scored"', b'"guessed"'))
    publish(broker, stranger, wrong, score(0), ended(2))
    state = until_complete(store)
    assert state.counts_of(Modality.FACE).outcomes == {Outcome.SCORED: 1, Outcome.FAILED: 1}
    worker.stop()
    assert store.dead_letters() == {f"{FUSION_QUEUE}:rejected": 1}


@pytest.mark.usefixtures("worker")
def test_nothing_is_lost_while_redis_is_away(
    broker: MemoryBroker, store: SessionStore, redis_server: fakeredis.FakeServer
) -> None:
    handler = Noticed()
    logger = logging.getLogger("services.fusion.worker")
    logger.addHandler(handler)
    try:
        redis_server.connected = False
        publish(broker, started(), *(score(seq) for seq in range(20)), ended(20))
        assert handler.noticed.wait(PATIENCE_S)
    finally:
        redis_server.connected = True
        logger.removeHandler(handler)
    assert until_complete(store).counts_of(Modality.FACE).of(Outcome.SCORED) == 20


@pytest.mark.usefixtures("worker")
def test_what_redis_cannot_keep_holds_up_nobody_else(
    broker: MemoryBroker, store: SessionStore, redis_server: fakeredis.FakeServer
) -> None:
    broken = "session-9999"
    fakeredis.FakeRedis(server=redis_server).set(Keys(broken).counters, "not what belongs here")
    body = score(0).body.replace(SESSION.encode(), broken.encode())
    publish(broker, replace(score(0), body=body, correlation_id=broken))
    publish(broker, started(), *(score(seq) for seq in range(5)), ended(5))
    assert until_complete(store).counts_of(Modality.FACE).of(Outcome.SCORED) == 5


def test_stopping_while_redis_is_away_gives_everything_back(
    store: SessionStore, redis_server: fakeredis.FakeServer
) -> None:
    server = MemoryServer()
    broker = MemoryBroker(server)
    broker.declare(TOPOLOGY)
    publish(broker, started(), score(0), ended(1))
    redis_server.connected = False
    worker = FusionWorker(broker, store)
    worker.start()
    worker.stop()
    broker.close()
    redis_server.connected = True
    assert store.read(SESSION) is None
    successor = MemoryBroker(server)
    assert successor.depth(FUSION_QUEUE) == 3
    successor.close()


def test_a_refused_purpose_opens_no_session(broker: MemoryBroker, store: SessionStore, worker: FusionWorker) -> None:
    publish(broker, started("workplace"), score(0), ended(1))
    events, _ = store.wait_for_event(SESSION, "0", PATIENCE_S)
    assert events
    worker.stop()
    assert store.read(SESSION) is None
    assert not store.token_matches(SESSION, "token")
