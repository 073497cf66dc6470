"""What happened in sessions, read on from any event: Redis streams."""

import math
from collections.abc import Mapping
from typing import Any, Final

import redis

from services.fusion.state import Event
from services.fusion.store.keys import Keys

FIRST: Final = "0-0"
"""Stands before every event."""


def place_of(event_id: str) -> tuple[int, int]:
    """Return an event's id as numbers that sort as the events do.

    Raises:
        ValueError: If it is not the id of an event.
    """
    milliseconds, _, number = event_id.partition("-")
    if not (milliseconds.isdecimal() and number.isdecimal() and len(event_id) <= 40):
        raise ValueError(f"{event_id!r} is not the id of an event")
    place = int(milliseconds), int(number)
    if max(place) >= 2**64:
        raise ValueError(f"{event_id!r} is not the id of an event")
    return place


class EventLog:
    """The events of sessions; safe to use from several threads.

    Args:
        client: A client with ``decode_responses=True``.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis: Any = client

    def last_id(self, session_id: str) -> str:
        """Return the id of the newest event, or :data:`FIRST` where there is none."""
        newest = self._redis.xrevrange(Keys(session_id).events, count=1)
        return newest[0][0] if newest else FIRST

    def after(self, session_id: str, event_id: str) -> list[Event]:
        """Return the events after one, the oldest first; of a long session the newest thousand or so are kept."""
        entries = self._redis.xrange(Keys(session_id).events, min=f"({event_id}")
        return [_event(each, fields) for each, fields in entries]

    def gap_after(self, session_id: str, event_id: str) -> str | None:
        """Return the first event that is left where some after an event are gone; None where all of them are kept."""
        first = self._redis.hget(Keys(session_id).meta, "trimmed")
        return first if first is not None and place_of(event_id) < place_of(first) else None

    def wait(self, cursors: Mapping[str, str], timeout_s: float) -> dict[str, list[Event]]:
        """Wait for what happens in any of several sessions.

        Args:
            cursors: The last event known, by session.
            timeout_s: Seconds to wait at most; no more than half of the client's time-out are waited.

        Returns:
            The new events by session; empty if the time is over.
        """
        longest_s = (self._redis.get_connection_kwargs().get("socket_timeout") or math.inf) / 2
        names = {Keys(session_id).events: session_id for session_id in cursors}
        streams = {name: cursors[session_id] for name, session_id in names.items()}
        reply = self._redis.xread(streams, block=max(1, round(1000 * min(timeout_s, longest_s))))
        return {names[name]: [_event(*entry) for entry in entries] for name, entries in reply or []}


def _event(event_id: str, fields: dict[str, str]) -> Event:
    rest = {name: value for name, value in fields.items() if name != "kind"}
    return Event(id=event_id, kind=fields["kind"], fields=rest)
