"""Sessions in Redis. Additions are atomic and idempotent; what they cost does not depend on what came before."""

import hashlib
import hmac
import logging
import math
import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import redis

from services.fusion.accumulate import BIN_S, Accumulator
from services.fusion.speaker import SpeakerSums
from services.fusion.state import Event, Loss, Receipt, SessionState, TimelineBin
from services.fusion.store.commands import Command, EndedOutside, Operation, command_for, score_from, started_from
from services.fusion.store.counters import counts_from
from services.fusion.store.directory import Directory
from services.fusion.store.event_log import EventLog
from services.fusion.store.forgetting import Forgetting
from services.fusion.store.keys import BINS_PER_PAGE, DEAD_LETTERS, SPEAKER, Keys
from services.fusion.store.rates import Rates
from services.fusion.store.scripts import Scripts
from shared.emotions import MODALITIES, Modality
from shared.messages.score import ModalityScore
from shared.messages.session import SessionEnded, SessionForget, SessionStarted

logger = logging.getLogger(__name__)

_NO_TOKEN: Final = "0" * 64
_UNKNOWN_S: Final = 600
"""Seconds that evidence of a session is kept whose start has not been heard."""

_TOMBSTONE_S: Final = 30 * 24 * 3600
"""Seconds that an erased session is remembered by its id, so that late scores are dropped."""


class SessionStore:
    """The sessions of a Redis server or of a ``fakeredis`` in its place; safe to use from several threads.

    Args:
        client: A client with ``decode_responses=True``.
    """

    def __init__(self, client: "redis.Redis") -> None:
        if not client.get_connection_kwargs().get("decode_responses"):
            raise ValueError("the session store needs a Redis client with decode_responses=True")
        self._redis: Any = client
        self.directory = Directory(client)
        self.events = EventLog(client)
        self._scripts = Scripts(client)
        self.rates = Rates(self._scripts)
        self._forgetting = Forgetting(client, self._scripts)

    def ping(self) -> None:
        """Check that Redis answers.

        Raises:
            redis.RedisError: If it does not.
        """
        self._redis.ping()

    def start(self, started: SessionStarted) -> bool:
        """Begin a session; again with the same token is harmless: its seconds count from its agent's own start.

        Returns:
            Whether the session is now this one; False where it was erased or belongs to another token.
        """
        return self.apply([started])[0]

    def end(self, ended: SessionEnded, *, outside: bool = False) -> bool:
        """End a session.

        Args:
            ended: The end.
            outside: Whether not its agent says so; what the agent says later takes its place.

        Returns:
            Whether it was not ended, nor erased, before.
        """
        return self.apply([EndedOutside(ended) if outside else ended])[0]

    def add(self, score: ModalityScore) -> bool:
        """Add a score, once; it may come before its session's start.

        Returns:
            Whether it was new.
        """
        return self.apply([score])[0]

    def lose(self, loss: Loss) -> bool:
        """Account for a chunk that was not judged, once; a score of the same chunk takes its place.

        Returns:
            Whether it was new.
        """
        return self.apply([loss])[0]

    def forget(self, stretch: SessionForget) -> bool:
        """Erase what overlaps a stretch, and count it as forgotten, also where its score comes later.

        Returns:
            Whether the session was not erased before, and has not too many stretches already.
        """
        return self.apply([stretch])[0]

    def apply(self, operations: Sequence[Operation]) -> list[bool]:
        """Do many things in one round trip, in order; see :meth:`start`, :meth:`end`, :meth:`add` and so on.

        Raises:
            redis.RedisError: If Redis is away; some may be done, and doing all of them again is harmless.
        """
        if not operations:
            return []
        commands = [command_for(operation, _UNKNOWN_S) for operation in operations]
        results = [bool(result) for result in self._scripts.run(commands)]
        for operation, done in zip(operations, results, strict=True):
            if isinstance(operation, SessionStarted) and not done:
                logger.warning("session refused: erased, or another token", extra={"session_id": operation.session_id})
            if isinstance(operation, SessionForget) and done:
                self._forgetting.take_back(operation, _UNKNOWN_S)
        began = [
            each for each, done in zip(operations, results, strict=True) if done and isinstance(each, SessionStarted)
        ]
        self.directory.note(
            began, [each.session_id for each in operations if isinstance(each, SessionEnded | EndedOutside)]
        )
        return results

    def elapsed_s(self, state: SessionState) -> float:
        """Return the seconds since a session's agent started it, or since it was created, by the clock of Redis."""
        return float(self._call("elapsed.lua", [Keys(state.session_id).meta], [state.started.retention_s]))

    def take_typed_place(self, session_id: str) -> int | None:
        """Count one more typed text as published, and return how many came before; None where no session goes on."""
        keys = Keys(session_id)
        place = int(self._call("type.lua", [keys.tombstone, keys.meta, keys.counters], []))
        return None if place < 0 else place

    def tell_progress(self, session_id: str, done_s: float, duration_s: float | None) -> bool:
        """Tell whoever follows a session how far its recording is read, and return whether the session is there."""
        keys = Keys(session_id)
        arguments: list[str | int | float] = ["kind", "progress", "done_s", f"{done_s:.2f}"]
        arguments += ["duration_s", "" if duration_s is None else f"{duration_s:.2f}"]
        return bool(self._call("tell.lua", [keys.tombstone, keys.meta, keys.events], arguments))

    def claim(self, session_id: str, source: str) -> bool:
        """Take a session for one source of media, and return whether it is there and was free."""
        return bool(self._call("claim.lua", [Keys(session_id).meta], [source]))

    def release(self, session_id: str) -> None:
        """Give a session back whose source came to nothing."""
        self._redis.hdel(Keys(session_id).meta, "source")

    def count_dead_letters(self, places: Mapping[tuple[str, str], int]) -> None:
        """Count dead letters that belong to no session, by queue and cause; all or none of them."""
        pipeline = self._redis.pipeline(transaction=True)
        for (queue, cause), count in places.items():
            pipeline.hincrby(DEAD_LETTERS, f"{queue}:{cause}", count)
        pipeline.execute()

    def dead_letters(self) -> dict[str, int]:
        """Return how many dead letters belong to no session, by ``queue:cause``."""
        return {name: int(count) for name, count in self._redis.hgetall(DEAD_LETTERS).items()}

    def read(self, session_id: str) -> SessionState | None:
        """Return a session's sums and counts, at a cost that does not grow with its length; None if it is unknown."""
        keys = Keys(session_id)
        pipeline = self._redis.pipeline(transaction=True)
        for name in (keys.meta, keys.counters, keys.totals):
            pipeline.hgetall(name)
        meta, counters, totals = pipeline.execute()
        if "started" not in meta:
            return None
        return SessionState(
            started=started_from(meta["started"]).model_copy(update={"traceparent": meta.get("traceparent")}),
            ended=SessionEnded.model_validate_json(meta["ended"]) if "ended" in meta else None,
            expires_at=datetime.fromtimestamp(int(meta["expires_at"]), UTC),
            speaker=SpeakerSums.unpack(totals.pop(SPEAKER)) if SPEAKER in totals else SpeakerSums(),
            sums={Modality(name): Accumulator.unpack(sums) for name, sums in totals.items()},
            counts=counts_from(counters),
        )

    def minutes(self, session_id: str, start_s: float = 0.0, end_s: float = math.inf) -> list[int]:
        """Return the minutes with evidence that overlap a span, in order; of what was forgotten some may be empty."""
        return _overlapping(sorted(map(int, self._redis.smembers(Keys(session_id).pages))), start_s, end_s)

    def timeline(
        self, session_id: str, start_s: float = 0.0, end_s: float = math.inf, minutes: Sequence[int] | None = None
    ) -> list[TimelineBin]:
        """Return the seconds with evidence that overlap a span, in order.

        Args:
            session_id: Which session.
            start_s: Where the span begins.
            end_s: Where it ends; not part of it.
            minutes: Those with evidence, in order, where they are known; otherwise they are read.
        """
        keys = Keys(session_id)
        pipeline = self._redis.pipeline(transaction=False)
        for page in (
            self.minutes(session_id, start_s, end_s) if minutes is None else _overlapping(minutes, start_s, end_s)
        ):
            pipeline.hgetall(keys.page(page))
        bins: dict[int, dict[Modality, Accumulator]] = {}
        for page in pipeline.execute():
            for field, sums in page.items():
                index, _, modality = field.partition(":")
                bins.setdefault(int(index), {})[Modality(modality)] = Accumulator.unpack(sums)
        inside = (i for i in sorted(bins) if (i + 1) * BIN_S > start_s and i * BIN_S < end_s)
        return [TimelineBin(index=index, sums=bins[index]) for index in inside]

    def evidence(
        self,
        session_id: str,
        modality: Modality | None = None,
        start_s: float = 0.0,
        end_s: float = math.inf,
        limit: int | None = None,
    ) -> list[ModalityScore]:
        """Return the scores that begin in a span, abstentions too, in order of time.

        Args:
            session_id: Which session.
            modality: Whose, or None for all.
            start_s: First second.
            end_s: Where the span ends; not part of it.
            limit: Most scores of each modality, or None for all.
        """
        keys = Keys(session_id)
        fields: list[str] = []
        for each in (modality,) if modality else MODALITIES:
            window = {} if limit is None else {"start": 0, "num": limit}
            members = self._redis.zrangebyscore(keys.order(each), start_s, f"({end_s}", **window)
            fields += [f"{each}:{int(member)}" for member in members]
        if not fields:
            return []
        values = self._redis.hmget(keys.evidence, fields)
        scores = [score_from(value) for value in values if value is not None]
        return sorted(scores, key=lambda score: (score.start_s, MODALITIES.index(score.modality), score.seq))

    def token_matches(self, session_id: str, token: str) -> bool:
        """Check a bearer token, in the same time whether the session exists or not."""
        stored = self._redis.hget(Keys(session_id).meta, "token_sha256") or _NO_TOKEN
        return hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), stored)

    def erase(self, session_id: str) -> Receipt:
        """Erase everything about a session; it does not come back with late scores. Doing it again is harmless."""
        keys = Keys(session_id)
        self.directory.leave(session_id)
        # From here on nothing is added, so that what is counted and deleted below is all there is.
        self._redis.set(keys.tombstone, 1, ex=_TOMBSTONE_S)
        evidence = self._redis.hlen(keys.evidence)
        pages = [keys.page(page) for page in self._redis.smembers(keys.pages)]
        erased = self._redis.unlink(*pages, *keys.fixed())
        return Receipt(session_id=session_id, erased_at=datetime.now(UTC), evidence=evidence, keys=erased)

    def wait_for_event(self, session_id: str, after_id: str, timeout_s: float) -> tuple[list[Event], str]:
        """Wait for what happens after an event.

        Args:
            session_id: Which session.
            after_id: The id of the last event known; ``"0"`` for all that are kept.
            timeout_s: Seconds to wait at most.

        Returns:
            The events, none if the time is over, and the id to go on from.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.events.wait({session_id: after_id}, deadline - time.monotonic())
            events = found.get(session_id, [])
            if events or time.monotonic() >= deadline:
                return events, events[-1].id if events else after_id

    def _call(self, script: str, keys: list[str], arguments: list[str | int | float]) -> Any:  # noqa: ANN401  (as the script returns it)
        (result,) = self._scripts.run([Command(script=script, keys=keys, arguments=arguments)])
        return result


def _overlapping(minutes: Sequence[int], start_s: float, end_s: float) -> list[int]:
    """Return those of the minutes, which are in order, that overlap a span."""
    page_s = BINS_PER_PAGE * BIN_S
    first = bisect_right(minutes, start_s, key=lambda page: (page + 1) * page_s)
    return list(minutes[first : bisect_left(minutes, end_s, key=lambda page: page * page_s)])
