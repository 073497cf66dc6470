"""What every store does for those who follow a session, and for many processes at once."""

import threading
import time
from uuid import uuid4

import redis

from services.fusion.state import Outcome
from services.fusion.store import SessionStore
from services.fusion.store.keys import Keys
from services.fusion.store.rates import Bucket
from shared.emotions import Modality
from tests.contract.store_fixtures import StoreTest
from tests.contract.store_sessions import ended, loss, score, started


class FollowingContract(StoreTest):
    """Events, waiting, costs, rates."""

    def test_events_are_read_on_from_the_last(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        store.add(score(session_id, Modality.FACE, 0, 0.0))
        events, last = store.wait_for_event(session_id, "0", timeout_s=0)
        assert [event.kind for event in events] == ["started", "score"]
        assert events[1].fields == {"modality": "face", "seq": "0", "outcome": "scored"}
        store.lose(loss(session_id, 1, Outcome.EXPIRED))
        store.end(ended(session_id, 0, 2))
        events, last = store.wait_for_event(session_id, last, timeout_s=1)
        assert [event.kind for event in events] == ["lost", "ended"]
        assert store.wait_for_event(session_id, last, timeout_s=0.01) == ([], last)

    def test_a_waiting_reader_wakes_when_something_happens(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        _, last = store.wait_for_event(session_id, "0", timeout_s=1)
        timer = threading.Timer(0.1, store.end, [ended(session_id)])
        timer.start()
        begun, worked = time.monotonic(), time.process_time()
        events, _ = store.wait_for_event(session_id, last, timeout_s=30)
        timer.join()
        assert [event.kind for event in events] == ["ended"]
        assert time.monotonic() - begun < 5
        assert time.process_time() - worked < 1

    def test_waiting_outlasts_the_time_out_of_the_client(
        self, impatient_client: "redis.Redis", session_id: str
    ) -> None:
        begun = time.monotonic()
        assert SessionStore(impatient_client).wait_for_event(session_id, "0", timeout_s=1.2) == ([], "0")
        assert 1.2 <= time.monotonic() - begun < 5

    def test_reading_costs_the_same_however_long_the_session_is(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        store.start(started(session_id))
        sizes = []
        for hour in range(2):
            store.apply([score(session_id, Modality.FACE, hour * 400 + i, hour * 3600 + i * 9.0) for i in range(400)])
            keys = Keys(session_id)
            sizes.append([client.hlen(name) for name in (keys.meta, keys.counters, keys.totals)])
        assert sizes[0] == sizes[1]

    def test_processes_take_from_the_same_bucket_which_fills_again(
        self, store: SessionStore, client: "redis.Redis"
    ) -> None:
        name, other = f"test-{uuid4()}", Bucket(name=f"test-{uuid4()}", rate=0.01, full=1)
        slow, fast = Bucket(name=name, rate=0.01, full=2), Bucket(name=name, rate=1000, full=2)
        waits = [each.rates.wait_s(slow, other) for each in (store, SessionStore(client), store)]
        assert waits[:2] == [0, 0]
        assert 90 < waits[2] <= 100
        assert 190 < 1000 * client.pttl(f"mien:rate:{name}") / 1e6 <= 200
        while store.rates.wait_s(fast, other):
            continue
        store.rates.take(other)
        assert 90 < store.rates.wait_s(fast, other) <= 100
