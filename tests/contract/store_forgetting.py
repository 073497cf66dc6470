"""What every store does with what is to be forgotten: a session, a stretch of one, or all when its time is over."""

import itertools
from uuid import uuid4

import redis

from services.fusion.accumulate import contribution_of
from services.fusion.speaker import SpeakerSums, speaker_sums_of
from services.fusion.state import Outcome
from services.fusion.store import Operation, SessionStore
from services.fusion.store.keys import Keys
from shared.emotions import Modality
from shared.messages.details import AudioDetails
from tests.contract.store_fixtures import StoreTest
from tests.contract.store_sessions import TOKEN, abstention, ended, forget, known, loss, score, started


class ForgettingContract(StoreTest):
    """Erasing, forgetting, expiring."""

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

    def test_a_source_takes_a_session_once_and_none_that_was_erased(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        assert not store.claim(session_id, "media"), "nobody has heard of it"
        store.start(started(session_id))
        assert store.claim(session_id, "media")
        assert not store.claim(session_id, "live")
        store.release(session_id)
        assert store.claim(session_id, "live")
        store.erase(session_id)
        assert not store.claim(session_id, "media")
        assert client.exists(Keys(session_id).meta) == 0

    def test_stretches_apart_from_each_other_have_an_end_and_may_grow_together(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        store.start(started(session_id))
        apart = " ".join(f"{2 * place} {2 * place + 1}" for place in range(1000))
        client.hset(Keys(session_id).meta, "forgotten", apart)
        assert not store.forget(forget(session_id, 5000.0, 5001.0))
        assert store.forget(forget(session_id, 0.0, 100.0))
        assert store.forget(forget(session_id, 5000.0, 5001.0))

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

    def test_an_end_that_nothing_comes_before_leaves_nothing_for_ever(
        self, store: SessionStore, client: "redis.Redis", session_id: str
    ) -> None:
        store.end(ended(session_id))
        left = {name: client.ttl(name) for name in client.scan_iter(f"{Keys(session_id).root}*")}
        assert {Keys(session_id).meta, Keys(session_id).events} == set(left)
        assert all(0 < left_s <= 600 for left_s in left.values()), left

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
