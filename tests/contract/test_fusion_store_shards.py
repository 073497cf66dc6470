"""However operations are ordered, repeated and shared out, the store knows the same."""

from uuid import uuid4

import fakeredis
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.state import Outcome
from services.fusion.store import Operation
from shared.emotions import Modality
from shared.messages.score import ModalityScore
from tests.contract.store_sessions import ended, forget, known, score, started
from tests.stores import memory_store

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
    shards = [memory_store(server) for _ in range(2)]
    for shard, part in zip(shards, (mixed[:cut], mixed[cut:]), strict=True):
        shard.apply(part)
    plain = memory_store()
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
