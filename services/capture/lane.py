"""One kind of chunk on its way to the broker: what waits, in bounded memory, and what became of it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from services.capture.status import Counts
from shared.messages.message import Message


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """A chunk that has not been given to the broker.

    Attributes:
        start_s: Where it begins, in seconds from the start of the session.
        end_s: Where it ends.
        room: What it takes of the lane's room.
        make: Makes the message, given its ``seq``.
    """

    start_s: float
    end_s: float
    room: float
    make: Callable[[int], Message]


class Lane:
    """A queue of one kind; whoever uses it holds the publisher's lock.

    A chunk gets its ``seq`` when it leaves for the broker, so that what is dropped before leaves no hole.

    Args:
        routing_key: Where its messages go.
        room: What may wait or be under way; past it the oldest that waits is dropped.
        window: Messages under way at once, at most.
    """

    def __init__(self, routing_key: str, room: float, window: int) -> None:
        self.routing_key = routing_key
        self._room = room
        self._window = window
        self._waiting: deque[Parcel] = deque()
        self._held = 0.0
        self._taken = 0
        self._under_way = 0
        self._confirmed = 0
        self._dropped = 0

    @property
    def counts(self) -> Counts:
        """What became of everything that was put here."""
        waiting = len(self._waiting) + self._under_way
        return Counts(sent=self._confirmed, waiting=waiting, dropped=self._dropped)

    @property
    def waits(self) -> bool:
        """Whether a chunk waits that was not given to the broker."""
        return bool(self._waiting)

    @property
    def ready(self) -> bool:
        """Whether a chunk may leave."""
        return bool(self._waiting) and self._under_way < self._window

    def put(self, parcel: Parcel) -> None:
        """Take a chunk; where there is no room, the oldest is dropped and counted."""
        self._waiting.append(parcel)
        self._held += parcel.room
        while self._held > self._room and self._waiting:
            self._drop(self._waiting.popleft())

    def take(self) -> tuple[Parcel, Message]:
        """Give the oldest chunk, with the next ``seq``."""
        parcel = self._waiting.popleft()
        message = parcel.make(self._taken)
        self._taken += 1
        self._under_way += 1
        return parcel, message

    def settle(self, parcel: Parcel, *, confirmed: bool) -> None:
        """Note what became of a chunk that was under way."""
        self._under_way -= 1
        self._held -= parcel.room
        self._confirmed += confirmed

    def forget(self, start_s: float, end_s: float) -> None:
        """Drop what waits and overlaps a stretch, and count it."""
        kept: deque[Parcel] = deque()
        for parcel in self._waiting:
            if parcel.end_s < start_s or parcel.start_s > end_s:
                kept.append(parcel)
            else:
                self._drop(parcel)
        self._waiting = kept

    def _drop(self, parcel: Parcel) -> None:
        self._held -= parcel.room
        self._dropped += 1
