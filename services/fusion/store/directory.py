"""Which sessions there are: those that a key created, and how many go on. It holds ids and times, and nothing else."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis

from services.fusion.store.commands import started_from
from services.fusion.store.keys import Keys
from shared.messages.session import MAX_RETENTION_S, SessionEnded, SessionStarted

LIVE: Final = "mien:live"
"""Sorted set: the ids of sessions that go on, by when they expire."""

_SCANNED: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A session in a list.

    Attributes:
        started: How it began.
        ended: How it ended, or None where it goes on.
        expires_at: When everything about it is erased.
        cursor: Where to go on after it.
    """

    started: SessionStarted
    ended: SessionEnded | None
    expires_at: datetime
    cursor: str


class Directory:
    """Lists of sessions; safe to use from several threads.

    Args:
        client: A client with ``decode_responses=True``.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis: Any = client

    def enter(self, owner: str, started: SessionStarted) -> None:
        """List a session under whoever created it.

        Args:
            owner: The digest of the key, or a word for everybody.
            started: The session.
        """
        name, entry = _list(owner), f"{int(started.started_at.timestamp() * 1000):015d}:{started.session_id}"
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(name, {entry: 0})
        pipeline.expire(name, MAX_RETENTION_S)
        pipeline.hset(Keys(started.session_id).meta, mapping={"owner": owner, "entry": entry})
        pipeline.zadd(_open(owner), {started.session_id: self._redis.time()[0] + started.retention_s})
        pipeline.expire(_open(owner), MAX_RETENTION_S)
        pipeline.execute()

    def leave(self, session_id: str) -> None:
        """Take a session off every list."""
        owner, entry = self._redis.hmget(Keys(session_id).meta, "owner", "entry")
        if owner and entry:
            self._redis.zrem(_list(owner), entry)
            self._redis.zrem(_open(owner), session_id)
        self._redis.zrem(LIVE, session_id)

    def page(self, owner: str, after: str | None, limit: int) -> list[Listed]:
        """Return sessions, the newest first; those whose retention is over are dropped from the list.

        Args:
            owner: As given to :meth:`enter`.
            after: The cursor of the last one known, or None to begin.
            limit: How many at most.
        """
        found: list[Listed] = []
        cursor = after
        while len(found) < limit:
            upper = "+" if cursor is None else f"({cursor}"
            entries = self._redis.zrevrangebylex(_list(owner), upper, "-", start=0, num=min(limit, _SCANNED))
            if not entries:
                break
            found += self._read(owner, entries)
            cursor = entries[-1]
        return found[:limit]

    def count_live(self, owner: str | None = None) -> int:
        """Return how many sessions go on, or how many of those that one owner created over HTTP."""
        name = LIVE if owner is None else _open(owner)
        self._redis.zremrangebyscore(name, "-inf", self._redis.time()[0])
        return int(self._redis.zcard(name))

    def note(self, began: list[SessionStarted], ended: list[str]) -> None:
        """Note which sessions go on from now and which do not."""
        if began:
            now = self._redis.time()[0]
            self._redis.zadd(LIVE, {each.session_id: now + each.retention_s for each in began})
            # A start may be told again after the end, or beside it by another process.
            ended = [*ended, *self._over([each.session_id for each in began])]
        if ended:
            self._redis.zrem(LIVE, *ended)
            self._close(ended)

    def _close(self, session_ids: list[str]) -> None:
        asked, pipeline = self._redis.pipeline(transaction=False), self._redis.pipeline(transaction=False)
        for session_id in session_ids:
            asked.hget(Keys(session_id).meta, "owner")
        for session_id, owner in zip(session_ids, asked.execute(), strict=True):
            if owner is not None:
                pipeline.zrem(_open(owner), session_id)
        pipeline.execute()

    def _over(self, session_ids: list[str]) -> list[str]:
        pipeline = self._redis.pipeline(transaction=False)
        for session_id in session_ids:
            pipeline.hmget(Keys(session_id).meta, "started", "ended")
        states = zip(session_ids, pipeline.execute(), strict=True)
        return [session_id for session_id, (started, ended) in states if ended is not None or started is None]

    def _read(self, owner: str, entries: list[str]) -> list[Listed]:
        pipeline = self._redis.pipeline(transaction=False)
        for entry in entries:
            pipeline.hmget(Keys(entry.partition(":")[2]).meta, "started", "ended", "expires_at")
        rows = dict(zip(entries, pipeline.execute(), strict=True))
        gone = [entry for entry, (started, *_) in rows.items() if started is None]
        if gone:
            self._redis.zrem(_list(owner), *gone)
        return [
            Listed(
                started=started_from(started),
                ended=SessionEnded.model_validate_json(ended) if ended else None,
                expires_at=datetime.fromtimestamp(int(expires_at), UTC),
                cursor=entry,
            )
            for entry, (started, ended, expires_at) in rows.items()
            if started is not None
        ]


def _list(owner: str) -> str:
    return f"mien:sessions:{owner}"


def _open(owner: str) -> str:
    return f"mien:open:{owner}"
