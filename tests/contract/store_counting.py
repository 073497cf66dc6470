"""What every store does with evidence: it adds it once, exactly, in any order, and accounts for all of it."""

import itertools
import math
from uuid import uuid4

import redis

from services.fusion.accumulate import Accumulator, contribution_of
from services.fusion.state import Counts, Outcome, Phase
from services.fusion.store import Operation, SessionStore
from services.fusion.store.keys import Keys
from shared.emotions import Modality
from tests.contract.store_fixtures import StoreTest
from tests.contract.store_sessions import TOKEN, abstention, ended, failure, forget, known, loss, score, started


class CountingContract(StoreTest):
    """Sums, counts, phases, and what is read of them."""

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

    def test_a_session_that_an_earlier_version_began_is_read(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        store.start(started(session_id))
        began = started(session_id).model_dump_json().replace('"baseline":null', '"baseline":4.9')
        client.hset(Keys(session_id).meta, "started", began)
        state = store.read(session_id)
        assert state is not None
        assert state.started.baseline == 4.5

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

    def test_a_judgement_takes_the_place_of_a_failed_one_in_any_order(self, store: SessionStore) -> None:
        found = []
        for order in itertools.permutations(range(4)):
            session_id = f"session-{uuid4()}"
            operations: list[Operation] = [
                score(session_id, Modality.FACE, 0, 0.5),
                failure(session_id, Modality.FACE, 0, "internal_error"),
                loss(session_id, 0, Outcome.FAILED, "delivery_limit"),
                loss(session_id, 0, Outcome.EXPIRED),
            ]
            store.start(started(session_id))
            for index in order:
                store.apply([operations[index]] * 2)
            found.append(known(store, session_id))
            state = store.read(session_id)
            assert state is not None
            counts = state.counts_of(Modality.FACE)
            assert (counts.outcomes, counts.reasons, counts.models) == ({Outcome.SCORED: 1}, {}, {"mien-model 1": 1})
            store.erase(session_id)
        assert found == [found[0]] * len(found)

    def test_a_failed_judgement_takes_the_place_of_a_loss_and_may_be_forgotten(
        self, store: SessionStore, session_id: str
    ) -> None:
        store.start(started(session_id))
        failed, lost = failure(session_id, Modality.FACE, 0, "internal_error"), loss(session_id, 0, Outcome.EXPIRED)
        store.apply([lost, failed, lost])
        state = store.read(session_id)
        assert state is not None
        counts = state.counts_of(Modality.FACE)
        assert (counts.outcomes, counts.reasons) == ({Outcome.FAILED: 1}, {"internal_error": 1})
        assert [each.status for each in store.evidence(session_id)] == ["failed"]
        store.apply([forget(session_id, 0, 60), score(session_id, Modality.FACE, 0, 0.0), failed])
        state = store.read(session_id)
        assert state is not None
        assert state.counts_of(Modality.FACE) == Counts(seen=1, outcomes={Outcome.FORGOTTEN: 1})
        assert store.evidence(session_id) == []

    def test_typed_texts_are_no_part_of_what_was_captured(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        store.take_typed_place(session_id)
        store.apply([score(session_id, Modality.TEXT, 2, 0.0, 2.0), score(session_id, Modality.TEXT, 2**52, 9.0, 2.0)])
        state = store.read(session_id)
        assert state is not None
        counts = state.counts_of(Modality.TEXT)
        assert (counts.seen, counts.typed, state.published(Modality.TEXT)) == (3, 1, 4)

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

    def test_what_an_agent_says_of_the_end_takes_the_place_of_what_others_said(
        self, store: SessionStore, session_id: str
    ) -> None:
        store.start(started(session_id).model_copy(update={"modalities": (Modality.FACE,)}))
        store.add(score(session_id, Modality.FACE, 0, 0.5))
        published = []
        for frames, outside, is_new in ((1, True, True), (2, True, False), (3, False, False), (4, False, False)):
            assert store.end(ended(session_id, 0, frames), outside=outside) is is_new
            state = store.read(session_id)
            assert state is not None
            published.append((state.published(Modality.FACE), state.phase))
        assert published == [(1, Phase.COMPLETE)] * 2 + [(3, Phase.DRAINING)] * 2

    def test_a_span_of_the_timeline_and_of_the_evidence(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        store.apply([score(session_id, Modality.FACE, seq, start_s=seq * 30.0) for seq in range(6)])
        store.add(score(session_id, Modality.TEXT, 0, 60.0, 2.0))
        assert [each.index for each in store.timeline(session_id, 30.0, 90.5)] == [30, 60, 61, 90]
        names = [(each.modality, each.seq) for each in store.evidence(session_id, None, 30.0, 90.0)]
        assert names == [(Modality.FACE, 1), (Modality.TEXT, 0), (Modality.FACE, 2)]
        assert [each.seq for each in store.evidence(session_id, Modality.FACE, limit=2)] == [0, 1]

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

    def test_dead_letters_without_a_session_are_counted(self, store: SessionStore) -> None:
        before = store.dead_letters().get("mien.face:rejected", 0)
        store.count_dead_letters({("mien.face", "rejected"): 2, ("unknown", "expired"): 1})
        assert store.dead_letters()["mien.face:rejected"] == before + 2
        assert store.dead_letters()["unknown:expired"] >= 1

    def test_a_far_future_does_no_harm(self, store: SessionStore, session_id: str) -> None:
        store.start(started(session_id))
        assert store.add(score(session_id, Modality.AUDIO, 2**52, 1e8 - 30, 30.0))
        assert store.add(score(session_id, Modality.AUDIO, 1, 1e8 - 1, 1.0))
        state = store.read(session_id)
        assert state is not None
        assert state.counts_of(Modality.AUDIO).seen == 2**52 + 1
        assert len(store.timeline(session_id, 0, math.inf)) <= 31
