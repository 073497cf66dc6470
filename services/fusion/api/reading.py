"""What is known of a session over HTTP: result, timeline, evidence, reports."""

import math
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.fusion.api import examples
from services.fusion.api.etag import JSON, NOT_MODIFIED, tagged, tagged_model
from services.fusion.api.headers import REPORT_POLICY
from services.fusion.api.models import Evidence, EvidenceItem, EvidenceQuery, SessionAnswer, Timeline, TimelineQuery
from services.fusion.api.points import as_json, length_for, points_of
from services.fusion.api.security import OpenedSession, Store
from services.fusion.api.sessions import OPENED, state_of
from services.fusion.report import WIDTH, render_csv, render_html
from services.fusion.results import (
    SessionResult,
    TimelinePoint,
    build_course,
    build_result,
    build_summary,
    build_transcript,
    smoothing_at,
)
from services.fusion.speaker import relative_voice_of
from services.fusion.state import SessionState
from services.fusion.store.session_store import SessionStore
from services.fusion.timeline import SMOOTHING
from shared.emotions import Modality
from shared.messages.score import ModalityScore

_READ: Final[dict[int | str, dict[str, Any]]] = {**OPENED, **NOT_MODIFIED}

_WHOLE: Final[dict[int | str, dict[str, Any]]] = {int(HTTPStatus.OK): {"content": {JSON: {"example": examples.WHOLE}}}}

Parts = Annotated[
    str | None,
    Query(
        pattern=r"^(timeline|transcript|course)(,(timeline|transcript|course)){0,2}$",
        description="Parts to include, with a comma between; they grow with the session's length.",
        examples=["timeline,transcript"],
    ),
]

router = APIRouter(prefix="/v1/sessions", tags=["results"])


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    ok = {"description": "The report.", "content": {media_type: {"schema": {"type": "string"}}}}
    return {**_READ, int(HTTPStatus.OK): ok}


@router.get("/{session_id}", responses=_READ, response_model=SessionAnswer)
def read_session(request: Request, session_id: OpenedSession, store: Store, include: Parts = None) -> Response:
    """Read a session's result: mood, interval, label, each modality's share and why, accounting.

    Without ``include`` it costs the same however long the session is. The answer's `traceparent` is the trace that the
    session began with.
    """
    state = state_of(store, session_id)
    parts = set((include or "").split(","))
    answer = dict(build_summary(state))
    if "transcript" in parts:
        answer["transcript"] = build_transcript(store.evidence(session_id, Modality.TEXT))
    if parts & {"timeline", "course"}:
        answer |= {"smoothing": SMOOTHING, "course": build_course(state, store.timeline(session_id))}
    trace = state.started.traceparent
    headers = {"traceparent": trace} if trace else None
    if "timeline" not in parts:
        return tagged_model(request, SessionAnswer(**answer), headers)
    points = points_of(store, state, evidence=True)
    return tagged(request, as_json(SessionAnswer(**answer, timeline=()), points, exclude_unset=True), JSON, headers)


@router.get("/{session_id}/timeline", responses=_READ, response_model=Timeline)
def read_timeline(
    request: Request, session_id: OpenedSession, store: Store, wanted: Annotated[TimelineQuery, Query()]
) -> Response:
    """Read the seconds that have evidence, each with its mood, its interval and what each modality says.

    Every point names the scores that it stands on: modality, seq, model and weight. Seconds are smoothed over their
    neighbours as `smoothing` says; coarser points are not.
    """
    state = state_of(store, session_id)
    length = length_for(store, session_id, wanted.start_s, wanted.end_s, wanted.points)
    length = max(length, wanted.resolution_s)
    frame = Timeline(
        session_id=session_id,
        resolution_s=length,
        smoothing=smoothing_at(length),
        relative=state.started.baseline is not None,
        usual=state.started.baseline,
        timeline=(),
    )
    points = points_of(store, state, wanted.start_s, wanted.end_s, length=length, evidence=wanted.evidence)
    return tagged(request, as_json(frame, points), JSON)


@router.get("/{session_id}/evidence", responses=_READ, response_model=Evidence)
def read_evidence(
    request: Request, session_id: OpenedSession, store: Store, wanted: Annotated[EvidenceQuery, Query()]
) -> Response:
    """Read the scores and abstentions that the result stands on, page by page.

    A voice is also given relative to its own speaker, as far as they were heard until now.
    """
    speaker = state_of(store, session_id).speaker
    scores, following = _page(store, session_id, wanted)
    items = (EvidenceItem(**dict(score), relative_voice=relative_voice_of(score, speaker)) for score in scores)
    page = Evidence(session_id=session_id, evidence=tuple(items), next_cursor=following)
    return tagged(request, page.model_dump_json(), JSON)


def _page(store: SessionStore, session_id: str, wanted: EvidenceQuery) -> tuple[list[ModalityScore], str | None]:
    """Return a page of scores and the cursor of the next: a second, and how many that begin there are known already."""
    start_s, known = wanted.start_s, 0
    if wanted.cursor is not None:
        second, _, number = wanted.cursor.partition(":")
        start_s, known = float(second), int(number)
    found = store.evidence(session_id, wanted.modality, start_s, wanted.end_s, known + wanted.limit + 1)[known:]
    scores = found[: wanted.limit]
    if len(found) <= wanted.limit:
        return scores, None
    last_s = scores[-1].start_s
    together = sum(score.start_s == last_s for score in scores) + (known if last_s == start_s else 0)
    return scores, f"{last_s!r}:{together}"


@router.get("/{session_id}/report.html", responses=_file("text/html"), response_class=Response)
def read_html_report(request: Request, session_id: OpenedSession, store: Store) -> Response:
    """Read the whole result as one page that stands alone: to read offline, print and send."""
    state = state_of(store, session_id)
    length = length_for(store, session_id, 0.0, math.inf, WIDTH)
    timeline = tuple(points_of(store, state, length=length))
    result = _result(store, state, timeline)
    page = render_html(result, title=f"Session {session_id}", began=state.started.started_at)
    headers = {"Content-Security-Policy": REPORT_POLICY, "Content-Disposition": _attachment(session_id, "html")}
    return tagged(request, page, "text/html; charset=utf-8", headers)


@router.get("/{session_id}/report.json", responses={**_WHOLE, **_READ}, response_model=SessionResult)
def read_json_report(request: Request, session_id: OpenedSession, store: Store) -> Response:
    """Read the whole result as one JSON object: what `mien analyze --json` prints."""
    headers = {"Content-Disposition": _attachment(session_id, "json")}
    state = state_of(store, session_id)
    points = points_of(store, state, evidence=True)
    return tagged(request, as_json(_result(store, state), points), JSON, headers)


@router.get("/{session_id}/report.csv", responses=_file("text/csv"), response_class=Response)
def read_csv_report(request: Request, session_id: OpenedSession, store: Store) -> Response:
    """Read the timeline as a table, one line a second."""
    headers = {"Content-Disposition": _attachment(session_id, "csv")}
    state = state_of(store, session_id)
    table = render_csv(points_of(store, state), state.started.baseline)
    return tagged(request, table, "text/csv; charset=utf-8", headers)


def _result(store: SessionStore, state: SessionState, timeline: tuple[TimelinePoint, ...] = ()) -> SessionResult:
    """Return a session's result with the timeline that is given."""
    spoken = store.evidence(state.session_id, Modality.TEXT)
    return build_result(state, store.timeline(state.session_id), spoken, points=timeline)


def _attachment(session_id: str, ending: str) -> str:
    return f'inline; filename="mien-{session_id}.{ending}"'
