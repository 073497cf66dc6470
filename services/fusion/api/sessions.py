"""Sessions over HTTP: create, list, end, erase."""

import logging
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from services.fusion.api import examples
from services.fusion.api.models import CreatedSession, ErasureReceipt, ListedSession, NewSession, SessionPage, Stretch
from services.fusion.api.ports import LiveInput
from services.fusion.api.problems import ProblemError, documented
from services.fusion.api.security import KeyHolder, OpenedSession, Store, no_such_session
from services.fusion.results import SessionSummary, build_summary
from services.fusion.state import SessionState
from services.fusion.store.directory import Listed
from services.fusion.store.session_store import SessionStore
from shared.errors import MienError
from shared.messages.session import SessionEnded, SessionForget
from shared.sessions import new_session, refusal_of
from shared.topology import FRAME_READERS, SPEECH_READERS

logger = logging.getLogger(__name__)

OPENED: Final = documented(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What may become of any request that needs a session's token."""

BODY: Final = documented(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
"""What else may become of a request with a body."""

_KEYED: Final = documented(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_CREATED: Final[dict[int | str, dict[str, Any]]] = {**_KEYED, **BODY, **documented(HTTPStatus.FORBIDDEN)}


_SUMMARY: Final[dict[int | str, dict[str, Any]]] = {
    int(HTTPStatus.OK): {"content": {"application/json": {"example": examples.SUMMARY}}}
}


async def _never_cached(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(prefix="/v1/sessions", tags=["sessions"], dependencies=[Depends(_never_cached)])


@router.post("", status_code=HTTPStatus.CREATED, responses=_CREATED)
def create_session(request: Request, wanted: NewSession, store: Store, owner: KeyHolder) -> CreatedSession:
    """Create a session, and get its id and its token, which is shown this once.

    Purposes of workplace and education are refused; where the reason is medical or safety, state that as the purpose.
    """
    refusal = refusal_of(wanted.purpose)
    if refusal is not None:
        raise ProblemError(HTTPStatus.FORBIDDEN, refusal)
    if store.directory.count_live(owner) >= request.app.state.settings.fusion_max_sessions:
        detail = "As many of your sessions go on as may at once; end one, or wait until one expires."
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": "60"})
    started, token = new_session(
        wanted.modalities, wanted.purpose, retention_s=wanted.retention_s, baseline=wanted.baseline
    )
    store.start(started)
    store.directory.enter(owner, started)
    expires_at = started.started_at + timedelta(seconds=wanted.retention_s)
    return CreatedSession(session_id=started.session_id, token=token, expires_at=expires_at)


@router.get("", responses=_KEYED)
def list_sessions(
    store: Store,
    owner: KeyHolder,
    cursor: Annotated[
        str | None,
        Query(pattern=r"^[0-9]{15}:[A-Za-z0-9_-]{8,64}$", description="`next_cursor` of the page before."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Most sessions of a page.")] = 50,
) -> SessionPage:
    """List the sessions that this key created, the newest first; an id opens nothing by itself."""
    found = store.directory.page(owner, cursor, limit + 1)
    following = found[limit - 1].cursor if len(found) > limit else None
    return SessionPage(sessions=tuple(map(_listed, found[:limit])), next_cursor=following)


@router.post("/{session_id}/end", responses={**_SUMMARY, **OPENED, **documented(HTTPStatus.CONFLICT)})
async def end_session(request: Request, session_id: OpenedSession, store: Store) -> SessionSummary:
    """End a session, and get its result so far; what is under way is still scored and counted."""
    if await run_in_threadpool(_end_live, request, session_id):
        return build_summary(await run_in_threadpool(state_of, store, session_id))
    return await run_in_threadpool(end_outside, store, session_id)


@router.post("/{session_id}/forget", responses={**_SUMMARY, **OPENED, **BODY, **documented(HTTPStatus.CONFLICT)})
def forget_stretch(session_id: OpenedSession, stretch: Stretch, store: Store) -> SessionSummary:
    """Forget a stretch of a session, and get its result without it.

    What overlaps the stretch is erased from everything that is kept and counted as forgotten, also where its score
    comes later. It does not come back.
    """
    done = store.forget(SessionForget(session_id=session_id, start_s=stretch.start_s, end_s=stretch.end_s))
    state = state_of(store, session_id)
    if not done:
        detail = (
            "So many stretches apart from each other are forgotten already that no more can be; forget longer ones."
        )
        raise ProblemError(HTTPStatus.CONFLICT, detail)
    return build_summary(state)


@router.delete("/{session_id}", responses=OPENED)
def erase_session(
    request: Request, session_id: OpenedSession, store: Store, afterwards: BackgroundTasks
) -> ErasureReceipt:
    """Erase everything about a session, and get a receipt; scores that are still under way are dropped as they come."""
    receipt = store.erase(session_id)
    request.app.state.opened.forget(session_id)
    # Nothing more is taken from its microphone and camera; that waits for the broker, the receipt does not.
    afterwards.add_task(_end_live, request, session_id)
    return ErasureReceipt(**asdict(receipt))


def state_of(store: SessionStore, session_id: str) -> SessionState:
    """Return what is known of a session.

    Raises:
        ProblemError: If it is gone.
    """
    state = store.read(session_id)
    if state is None:
        raise no_such_session()
    return state


def _end_live(request: Request, session_id: str) -> bool:
    """End what comes over a socket into this process, and return whether there was any and its account got through."""
    live = cast("LiveInput | None", request.app.state.live.pop(session_id, None))
    if live is None:
        return False
    try:
        live.end()
    except MienError as error:
        logger.warning("live session not closed", extra={"session_id": session_id, "error": str(error)})
        return False
    return True


def end_outside(store: SessionStore, session_id: str) -> SessionSummary:
    """End a session whose agent does not, with as much as is known of what it has published.

    Raises:
        ProblemError: If it has ended before or is gone.
    """
    state = state_of(store, session_id)
    speech = max(state.counts_of(modality).seen for modality in SPEECH_READERS)
    ended = SessionEnded(
        session_id=session_id,
        duration_s=store.elapsed_s(state),
        speech_chunks=speech,
        frames=max(state.counts_of(modality).seen for modality in FRAME_READERS),
    )
    if not store.end(ended, outside=True):
        raise ProblemError(HTTPStatus.CONFLICT, "The session has ended before; read its result instead.")
    return build_summary(state_of(store, session_id))


def _listed(each: Listed) -> ListedSession:
    return ListedSession(
        session_id=each.started.session_id,
        created_at=each.started.started_at,
        expires_at=each.expires_at,
        duration_s=each.ended.duration_s if each.ended else None,
        purpose=each.started.purpose,
        modalities=each.started.modalities,
    )
