"""Many clients follow sessions, and one thread reads for all of them."""

import asyncio
import json
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import redis
from starlette.concurrency import run_in_threadpool

from services.fusion.state import Event
from services.fusion.store.event_log import FIRST, EventLog, place_of

logger = logging.getLogger(__name__)

_ROUND_S: Final = 0.2
"""Longest that a session which is newly followed waits for the reader to look at it too."""

_PACE_S: Final = 0.5
"""Events of so many seconds are told together: people see no difference, and two hundred clients cost a tenth."""

_PAUSE_S: Final = 1.0
_MAX_WAITING: Final = 2000


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as it is sent; made once for all who follow.

    Attributes:
        place: Where it stands among the events of its session.
        event_id: The same as text.
        text: A server-sent event.
    """

    place: tuple[int, int]
    event_id: str
    text: str


def gap_before(event_id: str) -> Frame:
    """Return what tells a client that events before one are gone: what it knows of the session is to be read anew."""
    return Frame(place_of(event_id), event_id, "event: gap\ndata: {}\n\n")


def framed(event: Event) -> Frame:
    """Return an event as it is sent."""
    text = f"event: {event.kind}\nid: {event.id}\ndata: {json.dumps(dict(event.fields))}\n\n"
    return Frame(place_of(event.id), event.id, text)


class Subscription:
    """What one client has yet to be told. Used on its event loop, filled from the reader's thread.

    Args:
        after_id: The last event that the client knows.
    """

    def __init__(self, after_id: str) -> None:
        self.last_id = after_id
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Frame] = deque()
        self._ready = asyncio.Event()
        self._lagging = True
        self.closed = False

    def offer(self, events: Sequence[Frame]) -> None:
        """Take events from the reader's thread."""
        self._loop.call_soon_threadsafe(self._put, events)

    def close(self) -> None:
        """End it, from any thread."""
        self._loop.call_soon_threadsafe(self._close)

    def lag(self) -> None:
        """Read on from the store next time, whatever the reader's thread has told."""
        self._lagging = True

    async def next(self, log: EventLog, session_id: str, timeout_s: float) -> list[Frame]:
        """Return the events since the last call, each exactly once and in order; none if the time is over."""
        if not self._lagging and not self._waiting and not self.closed:
            try:
                await asyncio.wait_for(self._ready.wait(), timeout_s)
            except TimeoutError:
                return []
        self._ready.clear()
        found: Sequence[Frame]
        if self._lagging:
            self._lagging = False
            found = await run_in_threadpool(_read_on, log, session_id, self.last_id)
        else:
            found, self._waiting = self._waiting, deque()
        last = place_of(self.last_id)
        fresh = [frame for frame in found if frame.place > last]
        if fresh:
            self.last_id = fresh[-1].event_id
        return fresh

    def _put(self, events: Sequence[Frame]) -> None:
        self._waiting.extend(events)
        if len(self._waiting) > _MAX_WAITING:
            # A slow client reads on from the store, so that it costs no memory here.
            self._waiting.clear()
            self._lagging = True
        self._ready.set()

    def _close(self) -> None:
        self.closed = True
        self._ready.set()


def _read_on(log: EventLog, session_id: str, event_id: str) -> list[Frame]:
    """Return the events after one, behind a mark where some of them are gone."""
    events = list(map(framed, log.after(session_id, event_id)))
    # Looked at last, so that nothing can go unmarked in between.
    first = log.gap_after(session_id, event_id)
    return events if first is None else [gap_before(first), *events]


class Follower:
    """Reads the events of all sessions that somebody follows, in one thread and over one connection.

    Args:
        log: Where the events are.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._changed = threading.Condition()
        self._cursors: dict[str, str] = {}
        self._subscriptions: dict[str, set[Subscription]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._closing = threading.Event()

    async def subscribe(self, session_id: str, after_id: str = FIRST) -> Subscription:
        """Begin to follow a session; what lies between the event known and now is told first."""
        subscription = Subscription(after_id)
        newest = await run_in_threadpool(self._log.last_id, session_id)
        with self._changed:
            self._cursors.setdefault(session_id, newest)
            self._subscriptions.setdefault(session_id, set()).add(subscription)
            if self._closed:
                subscription.close()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
            self._changed.notify()
        return subscription

    def unsubscribe(self, session_id: str, subscription: Subscription) -> bool:
        """Follow no more, and return whether somebody else still follows the session."""
        with self._changed:
            subscriptions = self._subscriptions.get(session_id, set())
            subscriptions.discard(subscription)
            if not subscriptions:
                self._subscriptions.pop(session_id, None)
                self._cursors.pop(session_id, None)
            return bool(subscriptions)

    def close(self) -> None:
        """End every subscription, and take no more."""
        with self._changed:
            self._closed = True
            self._closing.set()
            every = [each for subscriptions in self._subscriptions.values() for each in subscriptions]
            self._changed.notify()
        for subscription in every:
            subscription.close()

    def _run(self) -> None:
        while (cursors := self._await_cursors()) is not None:
            try:
                found = self._log.wait(cursors, _ROUND_S)
                self._tell(found)
                if found:
                    self._closing.wait(_PACE_S)
            except redis.RedisError as error:
                logger.warning("Redis does not tell events; trying again", extra={"error": str(error)})
                with self._changed:
                    self._changed.wait(_PAUSE_S)

    def _await_cursors(self) -> dict[str, str] | None:
        with self._changed:
            while not self._cursors and not self._closed:
                self._changed.wait()
            return None if self._closed else dict(self._cursors)

    def _tell(self, found: dict[str, list[Event]]) -> None:
        with self._changed:
            for session_id, events in found.items():
                if session_id in self._cursors:
                    self._cursors[session_id] = events[-1].id
                    frames = list(map(framed, events))
                    for subscription in self._subscriptions[session_id]:
                        subscription.offer(frames)
