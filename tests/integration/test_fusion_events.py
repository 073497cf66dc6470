"""Server-sent events over real HTTP: in order, exactly once, across breaks and across processes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis

from services.fusion.api.follow import _MAX_WAITING
from services.fusion.settings import FusionSettings
from services.fusion.state import Loss, Outcome
from services.fusion.store import SessionStore, connect
from services.fusion.store.event_log import FIRST, place_of
from shared.emotions import Modality
from shared.messages.details import FaceDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded
from shared.sessions import new_session
from tests.stores import memory_store, serving

SETTINGS = FusionSettings(fusion_heartbeat_s=0.3, fusion_rate=1000)


@pytest.fixture(params=["fakeredis", "redis"])
def store(request: pytest.FixtureRequest) -> SessionStore:
    if request.param == "fakeredis":
        return memory_store()
    client: redis.Redis = connect(request.getfixturevalue("redis_url"))
    return SessionStore(client)


class Session:
    """A session of faces that are lost one by one: the smallest thing that makes events."""

    def __init__(self, store: SessionStore) -> None:
        self.store = store
        started, self.token = new_session((Modality.FACE,), session_id=f"session-{uuid4()}")
        store.start(started)
        self.id = started.session_id
        self.lost = 0

    def lose(self, count: int) -> None:
        losses = [
            Loss(session_id=self.id, modality=Modality.FACE, seq=seq, cause="maxlen", outcome=Outcome.EXPIRED)
            for seq in range(self.lost, self.lost + count)
        ]
        self.store.apply(losses)
        self.lost += count

    def end(self) -> None:
        self.store.end(SessionEnded(session_id=self.id, duration_s=1, speech_chunks=0, frames=self.lost))

    @contextmanager
    def follow(self, url: str, after: str | None = None) -> Iterator[Iterator[tuple[str, str, dict[str, Any]]]]:
        headers = {"Authorization": f"Bearer {self.token}", **({"Last-Event-ID": after} if after else {})}
        with httpx.stream("GET", f"{url}/v1/sessions/{self.id}/events", headers=headers, timeout=20) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    kind, event_id = "", ""
    for line in lines:
        name, _, value = line.partition(": ")
        if line.startswith(":"):
            yield "heartbeat", "", {}
        elif name == "event":
            kind, event_id = value, ""
        elif name == "id":
            event_id = value
        elif name == "data":
            yield kind, event_id, json.loads(value)


def test_events_come_once_and_in_order_and_end_with_the_final_result(store: SessionStore) -> None:
    session = Session(store)
    session.lose(3)
    with serving(store, SETTINGS) as url, session.follow(url) as events:
        seen = [next(events) for _ in range(4)]
        session.lose(2)
        session.end()
        seen += list(events)
    kinds = [kind for kind, _, _ in seen if kind not in {"interim", "heartbeat"}]
    assert kinds == ["started", *["lost"] * 5, "ended", "final"]
    assert [int(data["seq"]) for kind, _, data in seen if kind == "lost"] == [0, 1, 2, 3, 4]
    final = seen[-1][2]
    assert final["status"] == "complete"
    assert final["accounting"]["face"]["expired"] == 5


def test_a_client_that_broke_off_misses_nothing_and_gets_nothing_twice_from_another_process(
    store: SessionStore,
) -> None:
    session = Session(store)
    session.lose(5)
    seqs: list[int] = []
    last = None
    for _ in range(4):
        with serving(store, SETTINGS) as url, session.follow(url, last) as events:
            taken = 0
            for kind, event_id, data in events:
                last = event_id or last
                if kind == "lost":
                    seqs.append(int(data["seq"]))
                    taken += 1
                if taken == 3:
                    break
        session.lose(3)
    session.end()
    with serving(store, SETTINGS) as url, session.follow(url, last) as events:
        seen = list(events)
    seqs += [int(data["seq"]) for kind, _, data in seen if kind == "lost"]
    assert seqs == list(range(session.lost))
    with serving(store, SETTINGS) as url:
        headers = {"Authorization": f"Bearer {session.token}", "Last-Event-ID": seen[-1][1]}
        assert httpx.get(f"{url}/v1/sessions/{session.id}/events", headers=headers).status_code == 204


def test_a_quiet_stream_says_that_it_lives_and_an_erased_session_ends_it(store: SessionStore) -> None:
    session = Session(store)
    with serving(store, SETTINGS) as url, session.follow(url) as events:
        while next(events)[0] != "heartbeat":
            continue
        store.erase(session.id)
        assert [kind for kind, _, _ in events][-1] == "erased"


def test_many_clients_of_many_sessions_share_one_reader(store: SessionStore) -> None:
    sessions = [Session(store) for _ in range(5)]
    ends: list[list[str]] = []

    def follow(session: Session, url: str) -> None:
        with session.follow(url) as events:
            ends.append([kind for kind, _, _ in events if kind in {"lost", "final"}])

    earlier = set(threading.enumerate())
    with serving(store, SETTINGS) as url:
        before = threading.active_count()
        threads = [threading.Thread(target=follow, args=(session, url)) for session in sessions for _ in range(4)]
        for thread in threads:
            thread.start()
        for session in sessions:
            session.lose(10)
            session.end()
        readers = [thread for thread in set(threading.enumerate()) - earlier if thread.name == "events"]
        for thread in threads:
            thread.join()
        assert len(readers) <= 1
        assert threading.active_count() <= before + 45
    assert ends == [["lost"] * 10 + ["final"]] * 20


def test_a_client_that_lags_reads_on_from_the_store(store: SessionStore) -> None:
    session = Session(store)
    with serving(store, SETTINGS) as url, session.follow(url) as events:
        next(events)
        session.lose(min(900, _MAX_WAITING))
        session.end()
        assert sum(kind == "lost" for kind, _, _ in events) == session.lost


def test_a_client_is_told_where_events_are_no_longer_kept(store: SessionStore) -> None:
    session = Session(store)
    session.lose(1)
    first = store.events.last_id(session.id)
    session.lose(1300)
    session.end()
    with serving(store, SETTINGS) as url, session.follow(url, first) as events:
        seen = list(events)
    assert next(kind for kind, _, _ in seen if kind != "interim") == "gap"
    left = [int(data["seq"]) for kind, _, data in seen if kind == "lost"]
    assert left == list(range(session.lost - len(left), session.lost))
    assert len(left) >= 999
    middle = next(event_id for kind, event_id, _ in seen if kind == "lost")
    with serving(store, SETTINGS) as url, session.follow(url, middle) as events:
        again = list(events)
    assert "gap" not in [kind for kind, _, _ in again]
    assert [int(data["seq"]) for kind, _, data in again if kind == "lost"] == left[1:]


def test_events_and_evidence_carry_the_trace_of_what_brought_them(store: SessionStore) -> None:
    session, trace = Session(store), f"00-{'ab' * 16}-{'cd' * 8}-01"
    details = FaceDetails()
    score = ModalityScore(
        session_id=session.id, modality=Modality.FACE, seq=0, start_s=0, end_s=0, status=Status.ABSTAINED,
        reason="no_face", details=details, model=ModelRef(name="face", version="1"), traceparent=trace,
    )  # fmt: skip
    store.add(score)
    session.lost = 1
    session.end()
    with serving(store, SETTINGS) as url:
        with session.follow(url) as events:
            told = {kind: data.get("traceparent") for kind, _, data in events}
        headers = {"Authorization": f"Bearer {session.token}"}
        evidence = httpx.get(f"{url}/v1/sessions/{session.id}/evidence", headers=headers).json()["evidence"]
    assert told["score"] == evidence[0]["traceparent"] == trace
    assert told["started"] is not None


@pytest.mark.parametrize("value", ["x", "1", "1-", "-1-0", f"{2**64}-0", "1-1.final.x"])
def test_what_is_no_event_id_is_refused(value: str, store: SessionStore) -> None:
    session = Session(store)
    with serving(store, SETTINGS) as url:
        headers = {"Authorization": f"Bearer {session.token}", "Last-Event-ID": value}
        assert httpx.get(f"{url}/v1/sessions/{session.id}/events", headers=headers).status_code == 422


def test_ids_sort_as_events_do() -> None:
    assert place_of(FIRST) < place_of("9-1") < place_of("9-10") < place_of("10-0")
