"""Sessions over HTTP: create, read, erase."""

from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from services.fusion.api.models import CreatedSession, ErasureReceipt, Evidence, NewSession, SessionAnswer, Timeline
from services.fusion.api.problems import ProblemError, documented
from services.fusion.api.security import OpenedSession, Store, may_create, no_such_session
from services.fusion.results import build_summary, build_timeline, build_transcript
from services.fusion.state import SessionState
from services.fusion.store.session_store import SessionStore
from shared.emotions import Modality
from shared.sessions import new_session, refusal_of

MAX_EVIDENCE: Final = 1000

_OPENED: Final = documented(
    HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)
_CREATED: Final = documented(
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)

StartSecond = Annotated[float, Query(ge=0, le=1e9, allow_inf_nan=False, description="First second.")]
EndSecond = Annotated[
    float, Query(ge=0, le=1e9, allow_inf_nan=False, description="Where the span ends; not part of it.")
]
Parts = Annotated[
    str | None,
    Query(
        pattern=r"^(timeline|transcript)(,(timeline|transcript))?$",
        description="Parts to include, with a comma between; they grow with the session's length.",
        examples=["timeline,transcript"],
    ),
]


def _never_cached(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(prefix="/v1/sessions", tags=["sessions"], dependencies=[Depends(_never_cached)])


@router.post("", status_code=HTTPStatus.CREATED, responses=_CREATED, dependencies=[Depends(may_create)])
def create_session(wanted: NewSession, store: Store) -> CreatedSession:
    """Create a session, and get its id and its token, which is shown this once.

    Purposes of workplace and education are refused; where the reason is medical or safety, state that as the purpose.
    """
    refusal = refusal_of(wanted.purpose)
    if refusal is not None:
        raise ProblemError(HTTPStatus.FORBIDDEN, refusal)
    started, token = new_session(wanted.modalities, wanted.purpose, retention_s=wanted.retention_s)
    store.start(started)
    expires_at = started.started_at + timedelta(seconds=wanted.retention_s)
    return CreatedSession(session_id=started.session_id, token=token, expires_at=expires_at)


@router.get("/{session_id}", responses=_OPENED, response_model_exclude_unset=True)
def read_session(session_id: OpenedSession, store: Store, include: Parts = None) -> SessionAnswer:
    """Read a session's result: mood, interval, label, each modality's share and why, accounting.

    Without ``include`` it costs the same however long the session is.
    """
    state = _state(store, session_id)
    parts = set((include or "").split(","))
    answer = dict(build_summary(state))
    if "transcript" in parts:
        answer["transcript"] = build_transcript(store.evidence(session_id, Modality.TEXT))
    if "timeline" in parts:
        answer["timeline"] = build_timeline(state, store.timeline(session_id))
    return SessionAnswer(**answer)


@router.get("/{session_id}/timeline", responses=_OPENED)
def read_timeline(
    session_id: OpenedSession, store: Store, start_s: StartSecond = 0.0, end_s: EndSecond = 1e9
) -> Timeline:
    """Read the seconds that have evidence, each with its mood, its interval and what each modality says."""
    state = _state(store, session_id)
    points = build_timeline(state, store.timeline(session_id, start_s, end_s))
    return Timeline(session_id=session_id, timeline=points)


@router.get("/{session_id}/evidence", responses=_OPENED)
def read_evidence(
    session_id: OpenedSession,
    store: Store,
    modality: Modality | None = None,
    start_s: StartSecond = 0.0,
    end_s: EndSecond = 1e9,
    limit: Annotated[int, Query(ge=1, le=MAX_EVIDENCE)] = 200,
) -> Evidence:
    """Read the scores and abstentions that the result stands on; go on with ``start_s`` where the limit cuts."""
    _state(store, session_id)
    scores = store.evidence(session_id, modality, start_s, end_s, limit)
    return Evidence(session_id=session_id, evidence=tuple(scores[:limit]))


@router.delete("/{session_id}", responses=_OPENED)
def erase_session(session_id: OpenedSession, store: Store) -> ErasureReceipt:
    """Erase everything about a session, and get a receipt; scores that are still under way are dropped as they come."""
    return ErasureReceipt(**asdict(store.erase(session_id)))


def _state(store: SessionStore, session_id: str) -> SessionState:
    state = store.read(session_id)
    if state is None:
        raise no_such_session()
    return state
