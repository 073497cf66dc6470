"""What a session store promises, of a Redis server and of ``fakeredis`` alike."""

import hashlib
import itertools
import math
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import fakeredis
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.accumulate import Accumulator, contribution_of
from services.fusion.speaker import SpeakerSums, speaker_sums_of
from services.fusion.state import Loss, Outcome, Phase
from services.fusion.store import Operation, SessionStore, connect
from services.fusion.store.keys import Keys
from services.fusion.store.rates import Bucket
from shared.emotions import EMOTIONS, MODALITIES, Emotion, Modality, as_mapping, mood_of
from shared.messages.details import AudioDetails, FaceDetails, TextDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded, SessionForget, SessionStarted

TOKEN = "a-token-of-this-test"
DETAILS = {
    Modality.TEXT: TextDetails(transcript="good morning"),
    Modality.AUDIO: AudioDetails(),
    Modality.FACE: FaceDetails(),
}


def started(session_id: str, token: str = TOKEN, retention_s: int = 3600) -> SessionStarted:
    return SessionStarted(
        session_id=session_id,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        consent=True,
        purpose="personal",
        retention_s=retention_s,
        modalities=MODALITIES,
        agent_version="test",
        started_at=datetime.now(UTC),
    )


def ended(session_id: str, speech_chunks: int = 0, frames: int = 0) -> SessionEnded:
    return SessionEnded(session_id=session_id, duration_s=60, speech_chunks=speech_chunks, frames=frames)


def score(session_id: str, modality: Modality, seq: int, start_s: float, length_s: float = 0.0) -> ModalityScore:
    distribution = [0.7 if emotion is Emotion.JOY else 0.05 for emotion in EMOTIONS]
    return ModalityScore(
        session_id=session_id,
        modality=modality,
        seq=seq,
        start_s=start_s,
        end_s=start_s + length_s,
        status=Status.SCORED,
        mood=float(mood_of(distribution)),
        distribution=as_mapping(distribution),
        confidence=0.7,
        quality=0.8,
        details=DETAILS[modality],
        model=ModelRef(name="mien-model", version="1"),
    )


def abstention(session_id: str, modality: Modality, seq: int, reason: str) -> ModalityScore:
    return ModalityScore(
        session_id=session_id,
        modality=modality,
        seq=seq,
        start_s=seq,
        end_s=seq,
        status=Status.ABSTAINED,
        reason=reason,
        details=DETAILS[modality],
        model=ModelRef(name="mien-model", version="1"),
    )


def loss(session_id: str, seq: int, outcome: Outcome, cause: str = "maxlen") -> Loss:
    return Loss(session_id=session_id, modality=Modality.FACE, seq=seq, cause=cause, outcome=outcome)


def forget(session_id: str, start_s: float, end_s: float) -> SessionForget:
    return SessionForget(session_id=session_id, start_s=start_s, end_s=end_s)


def known(store: SessionStore, session_id: str) -> tuple[object, ...]:
    """Return all that a result is built from."""
    state = store.read(session_id)
    assert state is not None
    timeline = [(each.index, dict(each.sums)) for each in store.timeline(session_id)]
    evidence = [(each.modality, each.seq) for each in store.evidence(session_id)]
    return state.sums, state.counts, state.phase, timeline, evidence


class SessionStoreContract:
    """Inherited once for each server."""

    @pytest.fixture
    def client(self) -> Iterator["redis.Redis"]:
        """Return the server to keep the promises."""
        raise NotImplementedError

    @pytest.fixture
    def impatient_client(self) -> Iterator["redis.Redis"]:
        """Return a client of the same kind that gives a connection up after a second of silence."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, client: "redis.Redis") -> SessionStore:
        return SessionStore(client)

    @pytest.fixture
    def session_id(self, store: SessionStore) -> Iterator[str]:
        session_id = f"session-{uuid4()}"
        yield session_id
        store.erase(session_id)

    def test_an_unknown_session_reads_as_none(self, store: SessionStore, session_id: str) -> None:
        assert store.read(session_id) is None
        assert store.timeline(session_id) == []
        assert store.evidence(session_id) == []

    def test_a_session_starts_once_and_belongs_to_its_token(self, store: SessionStore, session_id: str) -> None:
        first = started(session_id)
        assert store.start(first)
        assert store.start(first)
        assert not store.start(started(session_id, token="another"))
        assert store.token_matches(session_id, TOKEN)
        assert not store.token_matches(session_id, "another")
        assert not store.token_matches("session-that-is-not", TOKEN)
        state = store.read(session_id)
        assert state is not None
        assert state.started == first
        assert state.phase is Phase.LIVE

    def test_evidence_counts_once_however_often_it_comes(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        speech = score(session_id, Modality.AUDIO, 0, start_s=58.5, length_s=4.0)
        assert store.add(speech)
        assert not store.add(speech)
        state = store.read(session_id)
        assert state is not None
        assert state.sums == {Modality.AUDIO: contribution_of(speech).total}
        assert state.counts_of(Modality.AUDIO).of(Outcome.SCORED) == 1
        assert state.counts_of(Modality.AUDIO).models == {"mien-model 1": 1}
        assert [(each.index, dict(each.sums)) for each in store.timeline(session_id)] == [
            (index, {Modality.AUDIO: sums}) for index, sums in contribution_of(speech).bins.items()
        ]

    def test_any_order_gives_the_same_state(self, store: SessionStore) -> None:
        states: list[tuple[object, ...]] = []
        for order in itertools.permutations(range(4)):
            session_id = f"session-{uuid4()}"
            operations: list[Operation] = [
                score(session_id, Modality.TEXT, 0, 0.3, 2.2),
                score(session_id, Modality.FACE, 0, 1.0),
                loss(session_id, 0, Outcome.EXPIRED),
                ended(session_id, 1, 1),
            ]
            store.start(started(session_id))
            store.apply([operations[index] for index in order])
            state = store.read(session_id)
            assert state is not None
            states.append((state.sums, state.counts, state.phase))
            store.erase(session_id)
        assert states == [states[0]] * len(states)

    def test_sums_are_exact(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        frames = [score(session_id, Modality.FACE, seq, seq / 7) for seq in range(100)]
        assert store.apply(frames) == [True] * len(frames)
        state = store.read(session_id)
        assert state is not None
        assert state.sums[Modality.FACE] == sum((contribution_of(f).total for f in frames), start=Accumulator())
        bins = [each.sums[Modality.FACE] for each in store.timeline(session_id)]
        assert sum(bins, start=Accumulator()) == state.sums[Modality.FACE]

    def test_scores_may_come_before_their_session(self, store: SessionStore, session_id: str) -> None:
        store.add(score(session_id, Modality.FACE, 0, 0.5))
        store.end(ended(session_id, 0, 1))
        assert store.read(session_id) is None
        store.start(started(session_id))
        state = store.read(session_id)
        assert state is not None
        assert state.counts_of(Modality.FACE).of(Outcome.SCORED) == 1
        assert state.phase is Phase.COMPLETE

    def test_what_was_not_judged_is_counted_once(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        assert store.lose(loss(session_id, 3, Outcome.EXPIRED))
        assert not store.lose(loss(session_id, 3, Outcome.EXPIRED))
        assert store.lose(loss(session_id, 4, Outcome.FAILED, "delivery_limit"))
        store.add(abstention(session_id, Modality.FACE, 5, "no_face"))
        state = store.read(session_id)
        assert state is not None
        counts = state.counts_of(Modality.FACE)
        assert counts.outcomes == {Outcome.EXPIRED: 1, Outcome.FAILED: 1, Outcome.ABSTAINED: 1}
        assert counts.reasons == {"maxlen": 1, "delivery_limit": 1, "no_face": 1}
        assert state.published(Modality.FACE) == 6

    def test_a_score_takes_the_place_of_a_loss_and_never_the_other_way(
        self, store: SessionStore, session_id: str
    ) -> None:
        store.start(started(session_id))
        store.lose(loss(session_id, 0, Outcome.FAILED, "delivery_limit"))
        assert store.add(score(session_id, Modality.FACE, 0, 0.0))
        assert not store.lose(loss(session_id, 0, Outcome.FAILED, "delivery_limit"))
        state = store.read(session_id)
        assert state is not None
        counts = state.counts_of(Modality.FACE)
        assert (counts.of(Outcome.SCORED), counts.of(Outcome.FAILED), counts.accounted) == (1, 0, 1)
        assert counts.reasons == {}

    def test_a_session_drains_until_every_chunk_is_accounted_for(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        phases = []
        for step in (
            score(session_id, Modality.AUDIO, 0, 0.0, 2.0),
            ended(session_id, speech_chunks=1, frames=1),
            score(session_id, Modality.TEXT, 0, 0.0, 2.0),
            loss(session_id, 0, Outcome.EXPIRED),
        ):
            store.apply([step])
            state = store.read(session_id)
            assert state is not None
            phases.append(state.phase)
        assert phases == [Phase.LIVE, Phase.DRAINING, Phase.DRAINING, Phase.COMPLETE]
        assert not store.end(ended(session_id, 5, 5))

    def test_a_span_of_the_timeline_and_of_the_evidence(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        store.apply([score(session_id, Modality.FACE, seq, start_s=seq * 30.0) for seq in range(6)])
        store.add(score(session_id, Modality.TEXT, 0, 60.0, 2.0))
        assert [each.index for each in store.timeline(session_id, 30.0, 90.5)] == [30, 60, 61, 90]
        names = [(each.modality, each.seq) for each in store.evidence(session_id, None, 30.0, 90.0)]
        assert names == [(Modality.FACE, 1), (Modality.TEXT, 0), (Modality.FACE, 2)]
        assert [each.seq for each in store.evidence(session_id, Modality.FACE, limit=2)] == [0, 1]

    def test_erasing_leaves_nothing_and_late_scores_do_not_bring_it_back(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        store.start(started(session_id))
        store.apply([score(session_id, Modality.FACE, seq, seq * 40.0) for seq in range(3)])
        receipt = store.erase(session_id)
        assert (receipt.session_id, receipt.evidence) == (session_id, 3)
        assert not store.add(score(session_id, Modality.FACE, 3, 1.0))
        assert not store.end(ended(session_id))
        assert not store.start(started(session_id))
        assert store.read(session_id) is None
        assert not store.token_matches(session_id, TOKEN)
        keys = Keys(session_id)
        assert list(client.scan_iter(f"{keys.root}*")) == [keys.tombstone]
        assert store.erase(session_id).evidence == 0

    def test_a_forgotten_stretch_leaves_only_its_count(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        store.start(started(session_id))
        said = [score(session_id, Modality.TEXT, 0, 2.0, 3.0), score(session_id, Modality.TEXT, 1, 58.0, 4.0)]
        seen = [score(session_id, Modality.FACE, seq, seq * 20.0) for seq in range(5)]
        store.apply([*said, *seen, abstention(session_id, Modality.AUDIO, 1, "no_voice")])
        assert store.forget(forget(session_id, 60.0, 90.0))
        state = store.read(session_id)
        assert state is not None
        text, face = state.counts_of(Modality.TEXT), state.counts_of(Modality.FACE)
        assert text.outcomes == {Outcome.SCORED: 1, Outcome.FORGOTTEN: 1}
        assert face.outcomes == {Outcome.SCORED: 3, Outcome.FORGOTTEN: 2}
        assert face.models == {"mien-model 1": 3}
        assert state.sums[Modality.TEXT] == contribution_of(said[0]).total
        assert [each.index for each in store.timeline(session_id)] == [0, 2, 3, 4, 20, 40]
        assert [(each.modality, each.seq) for each in store.evidence(session_id, Modality.TEXT)] == [("text", 0)]
        events, _ = store.wait_for_event(session_id, "0", timeout_s=0)
        told = [(each.fields.get("modality"), each.fields.get("seq")) for each in events]
        assert ("text", "0") in told
        assert ("text", "1") not in told
        assert (events[-1].kind, dict(events[-1].fields)) == ("forgotten", {"start_s": "60.0", "end_s": "90.0"})
        values = client.hgetall(Keys(session_id).evidence)
        assert values["text:1"] == values["face:3"] == "3forgotten:"

    def test_how_somebody_speaks_is_summed_and_taken_back_too(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        said = [
            score(session_id, Modality.AUDIO, seq, seq * 10.0, 2.0).model_copy(
                update={"details": AudioDetails(pitch_hz=100.0 + 20 * seq, energy_db=30.0 + seq)}
            )
            for seq in range(4)
        ]
        store.apply([*said, said[0], forget(session_id, 10.0, 11.0)])
        state = store.read(session_id)
        assert state is not None
        left = [speaker_sums_of(said[seq]) for seq in (0, 2, 3)]
        assert state.speaker == sum(left, start=SpeakerSums())
        assert state.speaker.utterances == 3

    def test_any_order_forgets_the_same(self, store: SessionStore) -> None:
        found = []
        for order in itertools.permutations(range(4)):
            session_id = f"session-{uuid4()}"
            operations: list[Operation] = [
                score(session_id, Modality.FACE, 0, 1.0),
                loss(session_id, 0, Outcome.EXPIRED),
                forget(session_id, 0.5, 1.5),
                ended(session_id, 0, 1),
            ]
            store.start(started(session_id))
            for index in order:
                store.apply([operations[index]] * 2)
            found.append(known(store, session_id))
            store.erase(session_id)
        assert found == [found[0]] * len(found)

    def test_forgetting_may_come_before_its_session_and_never_after_it_was_erased(
        self, store: SessionStore, session_id: str
    ) -> None:
        assert store.forget(forget(session_id, 0.0, 60.0))
        store.add(score(session_id, Modality.FACE, 0, 59.9))
        store.add(score(session_id, Modality.FACE, 1, 60.0))
        store.start(started(session_id))
        state = store.read(session_id)
        assert state is not None
        assert state.counts_of(Modality.FACE).outcomes == {Outcome.FORGOTTEN: 1, Outcome.SCORED: 1}
        store.erase(session_id)
        assert not store.forget(forget(session_id, 0.0, 60.0))

    def test_another_judgement_of_a_forgotten_chunk_does_not_bring_it_back(
        self, store: SessionStore, session_id: str
    ) -> None:
        store.start(started(session_id))
        first = score(session_id, Modality.TEXT, 0, 1.0, 2.0)
        second = first.model_copy(update={"quality": 0.3})
        store.apply([first, forget(session_id, 0.0, 60.0), second])
        state = store.read(session_id)
        assert state is not None
        assert state.sums == {}
        assert state.counts_of(Modality.TEXT).outcomes == {Outcome.FORGOTTEN: 1}
        assert state.counts_of(Modality.TEXT).models == {}

    def test_sessions_that_go_on_are_counted_once_and_not_after_their_end(
        self, store: SessionStore, session_id: str
    ) -> None:
        before = store.directory.count_live()
        begun = started(session_id)
        store.apply([begun, begun])
        assert store.directory.count_live() == before + 1
        store.apply([ended(session_id)])
        store.apply([begun])
        assert store.directory.count_live() == before

    def test_every_key_expires_with_the_session(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        store.apply([score(session_id, Modality.FACE, seq, seq * 50.0) for seq in range(3)])
        root = Keys(session_id).root
        before = {name: client.ttl(name) for name in client.scan_iter(f"{root}*")}
        assert len(before) >= 9
        assert all(0 < left_s <= 600 for left_s in before.values()), before
        store.start(started(session_id, retention_s=7200))
        store.apply([score(session_id, Modality.AUDIO, 0, 500.0, 2.0), ended(session_id)])
        after = {name: client.ttl(name) for name in client.scan_iter(f"{root}*")}
        assert len(after) > len(before)
        assert all(7100 < left_s <= 7200 for left_s in after.values()), after

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

    def test_dead_letters_without_a_session_are_counted(self, store: SessionStore) -> None:
        before = store.dead_letters().get("mien.face:rejected", 0)
        store.count_dead_letter("mien.face", "rejected")
        assert store.dead_letters()["mien.face:rejected"] == before + 1

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

    def test_a_far_future_does_no_harm(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        assert store.add(score(session_id, Modality.AUDIO, 2**52, 1e15, 40.0))
        assert store.add(score(session_id, Modality.AUDIO, 1, 1e300, 1e290))
        state = store.read(session_id)
        assert state is not None
        assert state.counts_of(Modality.AUDIO).seen == 2**52 + 1
        assert len(store.timeline(session_id, 0, math.inf)) <= 31


class TestFakeRedis(SessionStoreContract):
    @pytest.fixture
    def client(self) -> Iterator["redis.Redis"]:
        client = fakeredis.FakeRedis(decode_responses=True)
        yield client
        client.close()

    @pytest.fixture
    def impatient_client(self) -> Iterator["redis.Redis"]:
        client = fakeredis.FakeRedis(decode_responses=True, socket_timeout=1.0)
        yield client
        client.close()


class TestRedis(SessionStoreContract):
    @pytest.fixture
    def client(self, redis_url: str) -> Iterator["redis.Redis"]:
        client = connect(redis_url)
        yield client
        client.close()

    @pytest.fixture
    def impatient_client(self, redis_url: str) -> Iterator["redis.Redis"]:
        client = redis.Redis.from_url(redis_url, decode_responses=True, socket_timeout=1.0)
        yield client
        client.close()


NUMBERS = st.integers(min_value=0, max_value=40)


@settings(max_examples=25)
@given(
    starts=st.lists(NUMBERS, min_size=1, max_size=5),
    stretches=st.lists(st.tuples(NUMBERS, st.integers(min_value=1, max_value=30)), max_size=3),
    data=st.data(),
)
def test_order_duplicates_and_shards_do_not_show_though_stretches_are_forgotten(
    starts: list[int], stretches: list[tuple[int, int]], data: st.DataObject
) -> None:
    session_id = f"session-{uuid4()}"
    operations: list[Operation] = [started(session_id), ended(session_id, len(starts), len(starts))]
    for seq, at in enumerate(starts):
        operations.append(score(session_id, Modality.TEXT, seq, at / 2, 3.0))
        operations.append(score(session_id, Modality.FACE, seq, at / 2))
    operations += [forget(session_id, at / 2, (at + length) / 2) for at, length in stretches]
    mixed = data.draw(st.permutations([*operations, *data.draw(st.lists(st.sampled_from(operations), max_size=4))]))
    cut = data.draw(st.integers(min_value=0, max_value=len(mixed)))
    server = fakeredis.FakeServer()
    shards = [SessionStore(fakeredis.FakeRedis(server=server, decode_responses=True)) for _ in range(2)]
    for shard, part in zip(shards, (mixed[:cut], mixed[cut:]), strict=True):
        shard.apply(part)
    plain = SessionStore(fakeredis.FakeRedis(decode_responses=True))
    plain.apply(operations[:2])
    for each in operations[2 : 2 + 2 * len(starts)]:
        assert isinstance(each, ModalityScore)
        overlaps = [
            each.start_s < (at + length) / 2 and (each.end_s > at / 2 or each.start_s >= at / 2)
            for at, length in stretches
        ]
        if not any(overlaps):
            plain.add(each)
    forgetful, never_heard = shards[0].read(session_id), plain.read(session_id)
    assert forgetful is not None
    assert never_heard is not None
    assert forgetful.sums == never_heard.sums
    assert known(shards[0], session_id)[3:] == known(plain, session_id)[3:]
    for modality in (Modality.TEXT, Modality.FACE):
        counts = forgetful.counts_of(modality)
        assert counts.accounted == forgetful.published(modality) == len(starts)
        assert counts.of(Outcome.SCORED) == never_heard.counts_of(modality).of(Outcome.SCORED)
        assert counts.models == never_heard.counts_of(modality).models


def test_a_client_that_does_not_decode_is_refused() -> None:
    with pytest.raises(ValueError, match="decode_responses"):
        SessionStore(fakeredis.FakeRedis())
