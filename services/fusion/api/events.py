"""A session's events as they happen: server-sent events, out of the session's stream."""

import asyncio
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.fusion.api.follow import Follower, Subscription
from services.fusion.api.metrics import FOLLOWERS
from services.fusion.api.problems import ProblemError, documented
from services.fusion.api.security import OpenedSession, Store
from services.fusion.results import build_summary
from services.fusion.state import Phase
from services.fusion.store.event_log import FIRST, place_of
from services.fusion.store.session_store import SessionStore

MEDIA_TYPE: Final = "text/event-stream"
_INTERIM_S: Final = 1.0
_FINAL: Final = ".final"

_EXAMPLE: Final = 'event: score\nid: 1700000000000-0\ndata: {"modality":"text","seq":"0","outcome":"scored"}\n\n'
_SCHEMA: Final = {
    "type": "object",
    "description": "One event; `data` is JSON.",
    "properties": {"event": {"type": "string"}, "id": {"type": "string"}, "data": {"type": "string"}},
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    int(HTTPStatus.OK): {
        "description": "Events `started`, `score`, `lost`, `progress` and `ended`, each with its id; `forgotten`, "
        "after which the evidence of a stretch is gone; `interim` (once a second at most) and `final` with the result; "
        "`gap`, where events are no longer kept: read the session anew; `erased`.",
        "content": {MEDIA_TYPE: {"schema": _SCHEMA, "example": _EXAMPLE}},
    },
    int(HTTPStatus.NO_CONTENT): {"description": "The client has the final result; there is nothing to wait for."},
    **documented(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
}

router = APIRouter(prefix="/v1/sessions", tags=["results"])


class Interims:
    """The result of each followed session, built once for all who follow it.

    Args:
        store: Where sessions are kept.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._locks: dict[str, asyncio.Lock] = {}
        self._built: dict[str, tuple[float, bool, str]] = {}

    async def frame(self, session_id: str) -> tuple[float, bool, str] | None:
        """Return a result that is at most a second old; None where the session is gone.

        Returns:
            When it was built (monotonic), whether it is final, and it as JSON.
        """
        async with self._locks.setdefault(session_id, asyncio.Lock()):
            at, final, body = self._built.get(session_id, (-_INTERIM_S, False, ""))
            if time.monotonic() - at >= 0.9 * _INTERIM_S:
                at = time.monotonic()
                state = await run_in_threadpool(self._store.read, session_id)
                if state is None:
                    return None
                final, body = state.phase is Phase.COMPLETE, build_summary(state).model_dump_json()
                self._built[session_id] = (at, final, body)
            return at, final, body

    def forget(self, session_id: str) -> None:
        """Drop what nobody follows any more."""
        self._built.pop(session_id, None)
        self._locks.pop(session_id, None)


@router.get("/{session_id}/events", responses=_ANSWERS, response_class=StreamingResponse)
async def follow_events(
    request: Request,
    session_id: OpenedSession,
    store: Store,
    last_event_id: Annotated[
        str | None, Header(description="The last event that the client has; what came after it is told first.")
    ] = None,
) -> Response:
    """Follow a session as server-sent events, with a result at most once a second and the final one at the end.

    After a break, send the id of the last event as `Last-Event-ID`: each event after it is told exactly once. The
    newest thousand or so are kept; where some of those after it are gone, an event `gap` comes first, and the session
    is to be read anew. Lines that begin with a colon are heartbeats.
    """
    if last_event_id is not None and last_event_id.endswith(_FINAL):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    try:
        place_of(last_event_id or FIRST)
    except ValueError:
        detail = "Send as Last-Event-ID the id of an event of this stream, or leave it out."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
    state = request.app.state
    follower, interims = cast("Follower", state.follower), cast("Interims", state.interims)
    subscription = await follower.subscribe(session_id, last_event_id or FIRST)
    stream = _Stream(session_id, store, subscription, interims, state.settings.fusion_heartbeat_s)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_counted(follower, interims, stream), media_type=MEDIA_TYPE, headers=headers)


class _Stream:
    """One client's stream."""

    def __init__(
        self, session_id: str, store: SessionStore, subscription: Subscription, interims: Interims, heartbeat_s: float
    ) -> None:
        self.session_id = session_id
        self.subscription = subscription
        self._interims = interims
        self._store = store
        self._heartbeat_s = heartbeat_s
        self._dirty = True
        self._shown_at = self._heard_at = -_INTERIM_S

    async def frames(self) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        quiet_since = time.monotonic()
        while not self.subscription.closed:
            due_s = self._shown_at + _INTERIM_S - time.monotonic() if self._dirty else self._heartbeat_s
            events = await self.subscription.next(self._store.events, self.session_id, max(0.01, due_s))
            frames = "".join(event.text for event in events)
            done = False
            if events:
                self._dirty, self._heard_at = True, time.monotonic()
            if self._dirty and time.monotonic() - self._shown_at >= _INTERIM_S:
                frame, done = await self._result()
                frames += frame
            elif not events and time.monotonic() - quiet_since >= self._heartbeat_s:
                frames += ": heartbeat\n\n"
                # An erased session has no more events, so that only looking tells.
                self._dirty = True
            if frames:
                quiet_since = time.monotonic()
                yield frames
            if done:
                return

    async def _result(self) -> tuple[str, bool]:
        built = await self._interims.frame(self.session_id)
        self._shown_at = time.monotonic()
        if built is None:
            return "event: erased\ndata: {}\n\n", True
        built_at, final, body = built
        self._dirty = self._heard_at >= built_at
        if not final:
            return f"event: interim\ndata: {body}\n\n", False
        self.subscription.lag()
        rest = await self.subscription.next(self._store.events, self.session_id, 0)
        last = f"event: final\nid: {self.subscription.last_id}{_FINAL}\ndata: {body}\n\n"
        return "".join(event.text for event in rest) + last, True


async def _counted(follower: Follower, interims: Interims, stream: _Stream) -> AsyncIterator[str]:
    FOLLOWERS.inc()
    try:
        async for frame in stream.frames():
            yield frame
    finally:
        FOLLOWERS.dec()
        if not follower.unsubscribe(stream.session_id, stream.subscription):
            interims.forget(stream.session_id)
