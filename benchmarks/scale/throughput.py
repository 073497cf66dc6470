"""How much one process does, and how much two do: a full queue is emptied, and the rate of the middle is taken."""

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Final

import redis

from benchmarks.scale.material import Material
from benchmarks.scale.system import System, started
from benchmarks.scores import face_score
from services.fusion.store.keys import Keys
from shared.broker.port import Broker, Delivery
from shared.emotions import Modality
from shared.messages import SpeechChunk
from shared.messages.session import SessionStarted
from shared.sessions import new_session
from shared.topology import FUSION_QUEUE, MEDIA_EXCHANGE, SCORES_EXCHANGE

REPEATS: Final = 3
_SPEECH_CHUNKS: Final = 96
_SCORES: Final = 30_000
_SESSIONS: Final = 50
_PER_S: Final = 5
_POLL_S: Final = 0.25
_PATIENCE_S: Final = 300.0
_ONE_THREAD: Final = {"TEXT_THREADS": "1", "OMP_NUM_THREADS": "1"}


def measure_text(material: Material) -> dict[str, float]:
    """Return how many times the throughput of one text worker two have, each with one thread.

    One and two are measured in turn, several times over, and the median of the ratios is taken.
    """
    ratios = []
    with started() as system:
        for _ in range(REPEATS):
            one, two = (_text_rate(system, material, workers) for workers in (1, 2))
            ratios.append(two / one)
    return {"text_two_over_one": statistics.median(ratios)}


def measure_fusion() -> dict[str, float]:
    """Return how many scores a second one fusion process keeps: the median of several full queues."""
    return {"fusion_scores_per_s": statistics.median(_fusion_rate() for _ in range(REPEATS))}


def _text_rate(system: System, material: Material, workers: int) -> float:
    broker = system.broker()
    with ExitStack() as stack:
        for number in range(workers):
            stack.enter_context(system.running("text", number, _ONE_THREAD))
        confirms = [
            broker.publish(MEDIA_EXCHANGE, "speech.text", _chunk(material, seq).to_message())
            for seq in range(_SPEECH_CHUNKS)
        ]
        for confirm in confirms:
            confirm.result(30)
        times = _times_of_scores(broker, _SPEECH_CHUNKS)
    broker.close()
    first, last = _SPEECH_CHUNKS // 4, 9 * _SPEECH_CHUNKS // 10
    return (last - first) / (times[last] - times[first])


def _times_of_scores(broker: Broker, count: int) -> list[float]:
    """Take the scores from the queue, and return when each came."""
    arrived: SimpleQueue[float] = SimpleQueue()

    def take(score: Delivery) -> None:
        arrived.put(time.perf_counter())
        score.ack()

    taking = broker.consume(FUSION_QUEUE, take, _SPEECH_CHUNKS)
    times = [arrived.get(timeout=_PATIENCE_S) for _ in range(count)]
    taking.cancel()
    return times


def _fusion_rate() -> float:
    with started() as system:
        broker = system.broker()
        sessions = [new_session(tuple(Modality))[0] for _ in range(_SESSIONS)]
        for session in sessions:
            broker.publish(MEDIA_EXCHANGE, SessionStarted.TYPE, session.to_message()).result(30)
        confirms = [
            broker.publish(
                SCORES_EXCHANGE,
                "score.face",
                face_score(sessions[number % _SESSIONS].session_id, number // _SESSIONS, _PER_S).to_message(),
            )
            for number in range(_SCORES)
        ]
        for confirm in confirms:
            confirm.result(60)
        with redis.Redis.from_url(system.redis_url) as store, system.running("fusion"):
            rate = _rate(lambda: _SCORES - _kept(store, sessions))
        broker.close()
    return rate


def _rate(left: Callable[[], int]) -> float:
    """Wait until little is left, and return the rate between a quarter and nine tenths of the scores."""
    seen: list[tuple[float, int]] = []
    while (waiting := left()) > 0.1 * _SCORES:
        if waiting <= 0.75 * _SCORES:
            seen.append((time.perf_counter(), waiting))
        time.sleep(_POLL_S)
    (begun, first), (ended, last) = seen[0], (time.perf_counter(), waiting)
    return (first - last) / (ended - begun)


def _kept(store: "redis.Redis", sessions: list[SessionStarted]) -> int:
    pipeline = store.pipeline(transaction=False)
    for session in sessions:
        pipeline.hlen(Keys(session.session_id).evidence)
    return sum(pipeline.execute())


def _chunk(material: Material, seq: int) -> SpeechChunk:
    utterance = material.utterances[seq % len(material.utterances)]
    return SpeechChunk(
        session_id="throughput", media=utterance.flac, seq=seq, start_s=10.0 * seq,
        end_s=10.0 * seq + utterance.duration_s, captured_at=datetime.now(UTC),
    )  # fmt: skip
