"""What waits for the broker: in order, in bounded memory, and counted exactly."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.capture.lane import Lane, Parcel
from shared.messages.message import Message


def parcel(number: int, room: float = 1.0) -> Parcel:
    """Return the parcel of one second, which says its number and its ``seq``."""

    def make(seq: int) -> Message:
        return Message(
            type="speech.chunk",
            body=str(number).encode(),
            content_type="audio/flac",
            message_id=str(number),
            correlation_id="session-0001",
            timestamp=datetime.now(UTC),
            headers={"seq": seq},
        )

    return Parcel(float(number), number + 0.5, room, make)


@dataclass
class Played:
    """A lane and what was done with it."""

    lane: Lane
    put: int = 0
    seqs: list[object] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    under_way: list[Parcel] = field(default_factory=list)
    confirmed: int = 0
    refused: int = 0

    def do(self, step: str) -> None:
        if step == "put":
            self.lane.put(parcel(self.put))
            self.put += 1
        elif step == "take" and self.lane.ready:
            taken, message = self.lane.take()
            self.under_way.append(taken)
            self.seqs.append(message.headers["seq"])
            self.bodies.append(int(message.body))
        elif step == "confirm" and self.under_way:
            self.lane.settle(self.under_way.pop(), confirmed=True)
            self.confirmed += 1
        elif step == "refuse" and self.under_way:
            self.lane.settle(self.under_way.pop(0), confirmed=False)
            self.refused += 1
        elif step == "forget":
            self.lane.forget(self.put - 2.0, self.put + 1.0)


@given(st.lists(st.sampled_from(["put", "put", "put", "take", "confirm", "refuse", "forget"]), max_size=120))
def test_nothing_is_lost_from_the_count_and_no_seq_is_left_out(steps: list[str]) -> None:
    played = Played(Lane("speech.chunk", room=7, window=3))
    for step in steps:
        played.do(step)
        counts = played.lane.counts
        assert counts.sent == played.confirmed
        assert counts.sent + counts.waiting + counts.dropped + played.refused == played.put
        assert counts.waiting <= 7
        assert len(played.under_way) <= 3
    assert played.seqs == list(range(len(played.seqs)))
    assert played.bodies == sorted(set(played.bodies))


def test_past_its_room_the_oldest_goes_first() -> None:
    lane = Lane("frame.chunk", room=3, window=10)
    for number in range(8):
        lane.put(parcel(number))
    assert lane.counts.dropped == 5
    assert [int(lane.take()[1].body) for _ in range(3)] == [5, 6, 7]


def test_what_is_under_way_takes_room_until_it_is_confirmed() -> None:
    lane = Lane("speech.chunk", room=20.0, window=10)
    lane.put(parcel(0, room=15.0))
    taken, _ = lane.take()
    lane.put(parcel(1, room=10.0))
    assert (lane.counts.waiting, lane.counts.dropped) == (1, 1)
    lane.settle(taken, confirmed=True)
    lane.put(parcel(2, room=10.0))
    assert (lane.counts.waiting, lane.counts.dropped) == (1, 1)


def test_forgetting_drops_what_overlaps_and_keeps_the_rest() -> None:
    lane = Lane("speech.chunk", room=100, window=10)
    for number in range(6):
        lane.put(parcel(number))
    lane.forget(2.2, 4.1)
    assert lane.counts.dropped == 3
    assert [int(lane.take()[1].body) for _ in range(3)] == [0, 1, 5]
