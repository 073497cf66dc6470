"""Whether the cost of a score grows with the length of its session, on the store that the services use."""

import statistics
import time
from collections.abc import Sequence
from typing import Final

import fakeredis

from benchmarks.scores import face_score
from services.fusion.results import build_summary
from services.fusion.store.session_store import SessionStore
from shared.emotions import MODALITIES
from shared.sessions import new_session

HOURS: Final = 10
PER_SECOND: Final = 5
BLOCK: Final = 500
REPEATS: Final = 5


def measure_growth() -> dict[str, float]:
    """Return how much dearer a score, and a reading of the result, are in hour 10 than in minute 1."""
    store = SessionStore(fakeredis.FakeRedis(decode_responses=True))
    started, _ = new_session(MODALITIES)
    store.start(started)
    scores = range(HOURS * 3600 * PER_SECOND)
    first = [_add(store, started.session_id, scores[at : at + BLOCK]) for at in range(0, REPEATS * BLOCK, BLOCK)]
    first_reading = _read(store, started.session_id)
    for at in range(REPEATS * BLOCK, len(scores) - REPEATS * BLOCK, 20 * BLOCK):
        _add(store, started.session_id, scores[at : at + BLOCK])
    tail = range(len(scores) - REPEATS * BLOCK, len(scores), BLOCK)
    last = [_add(store, started.session_id, scores[at : at + BLOCK]) for at in tail]
    return {
        "score_cost_growth": statistics.median(last) / statistics.median(first),
        "reading_cost_growth": _read(store, started.session_id) / first_reading,
        "scores_per_second": BLOCK / statistics.median(last),
    }


def _add(store: SessionStore, session_id: str, seqs: Sequence[int]) -> float:
    batch = [face_score(session_id, seq, PER_SECOND) for seq in seqs]
    begun = time.perf_counter()
    store.apply(batch)
    return time.perf_counter() - begun


def _read(store: SessionStore, session_id: str) -> float:
    def once() -> float:
        begun = time.perf_counter()
        state = store.read(session_id)
        if state is None:
            raise RuntimeError("the session is gone")
        build_summary(state)
        return time.perf_counter() - begun

    return statistics.median(once() for _ in range(50))
