"""What goes into a session over HTTP: typed text, and a recording. Nothing is written to a disk."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from services.fusion.api.models import AcceptedMedia, AcceptedText, WrittenText
from services.fusion.api.ports import Ingest
from services.fusion.api.problems import ProblemError, documented
from services.fusion.api.security import OpenedSession, Store
from services.fusion.api.sessions import BODY, OPENED, state_of
from services.fusion.state import Loss, Outcome, Phase, SessionState
from services.fusion.store.session_store import SessionStore
from shared.broker.port import Broker
from shared.emotions import Modality
from shared.errors import BadInputError, BrokerError, MienError
from shared.messages.base import MAX_SECONDS
from shared.messages.session import SessionStarted
from shared.messages.typed import FIRST_TYPED_SEQ, TypedText, spoken_s
from shared.topology import MEDIA_EXCHANGE

logger = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S: Final = 10.0
MAX_AT_ONCE: Final = 2
"""Recordings held in memory at once."""

QUIET_S: Final = 30.0
"""Longest that a recording on its way may stand still."""

_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    **OPENED,
    **BODY,
    **documented(HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT),
}
_MEDIA: Final[dict[int | str, dict[str, Any]]] = {
    **_TEXT,
    **documented(HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.NOT_IMPLEMENTED),
}
_BINARY: Final = {
    "requestBody": {
        "required": True,
        "description": "The recording itself: mp4, mov, mkv, webm, avi, wav, flac, mp3, ogg, m4a.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = APIRouter(prefix="/v1/sessions", tags=["input"])


@router.post("/{session_id}/text", status_code=HTTPStatus.ACCEPTED, responses=_TEXT)
def write_text(request: Request, session_id: OpenedSession, written: WrittenText, store: Store) -> AcceptedText:
    """Add typed text to a session; it is judged like spoken words, and weighs as much as if it had been said."""
    state = going_on(store, session_id)
    if Modality.TEXT not in state.started.modalities:
        detail = "Nobody agreed to their words being judged; create a session whose modalities hold text."
        raise ProblemError(HTTPStatus.FORBIDDEN, detail)
    place = store.take_typed_place(session_id)
    if place is None:
        raise _is_over()
    at_s = store.elapsed_s(state) if written.at_s is None else written.at_s
    length_s = spoken_s(written.text)
    start_s = min(at_s, MAX_SECONDS - length_s)
    typed = TypedText(
        session_id=session_id,
        traceparent=state.started.traceparent,
        media=written.text.encode(errors="replace"),
        seq=FIRST_TYPED_SEQ + place,
        start_s=start_s,
        end_s=start_s + length_s,
        captured_at=datetime.now(UTC),
    )
    _publish(request.app.state.broker, store, typed)
    return AcceptedText(session_id=session_id, seq=typed.seq)


@router.post("/{session_id}/media", status_code=HTTPStatus.ACCEPTED, responses=_MEDIA, openapi_extra=_BINARY)
async def upload_media(request: Request, session_id: OpenedSession, store: Store) -> AcceptedMedia:
    """Upload a recording, which becomes the whole of the session: it is read as the agent would, and then ended.

    The body is the file itself. It is held in memory, never on a disk, up to the size that the service allows.
    """
    ingest = cast("Ingest | None", request.app.state.ingest)
    if ingest is None:
        detail = "This service reads no recordings; run `mien serve`, or `mien capture --session` where the file is."
        raise ProblemError(HTTPStatus.NOT_IMPLEMENTED, detail)
    slots = cast("threading.BoundedSemaphore", request.app.state.upload_slots)
    if not slots.acquire(blocking=False):
        detail = "Other recordings are being read; try again in a few seconds."
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": "10"})
    async with contextlib.AsyncExitStack() as undone:
        undone.callback(slots.release)
        started = await run_in_threadpool(claimed, store, session_id, "media")
        undone.push_async_callback(run_in_threadpool, store.release, session_id)
        media = await _body(request)
        send = await run_in_threadpool(opened, ingest, store, started, media)
        threading.Thread(target=_send, args=(send, session_id, slots), name="upload", daemon=True).start()
        undone.pop_all()
    return AcceptedMedia(session_id=session_id, bytes=len(media))


def going_on(store: SessionStore, session_id: str) -> SessionState:
    """Return a session that goes on.

    Raises:
        ProblemError: If it has ended or is gone.
    """
    state = state_of(store, session_id)
    if state.phase is not Phase.LIVE:
        raise _is_over()
    return state


def claimed(store: SessionStore, session_id: str, source: str) -> SessionStarted:
    """Take a session that has no media yet for one source, and return how it began.

    Raises:
        ProblemError: If it has ended, is gone, or has media already.
    """
    state = going_on(store, session_id)
    captured = any(state.counts_of(modality).seen for modality in Modality)
    if captured or not store.claim(session_id, source):
        raise ProblemError(HTTPStatus.CONFLICT, "The session has media already; create another one.")
    return state.started


def _is_over() -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, "The session has ended and takes nothing more; create another one.")


def _publish(broker: Broker | None, store: SessionStore, typed: TypedText) -> None:
    lost = Loss(
        session_id=typed.session_id,
        modality=Modality.TEXT,
        seq=typed.seq,
        cause="not_published",
        outcome=Outcome.FAILED,
    )
    try:
        if broker is None:
            raise BrokerError("there is no broker")
        broker.publish(MEDIA_EXCHANGE, TypedText.TYPE, typed.to_message()).result(PUBLISH_TIMEOUT_S)
    except TimeoutError:
        # It waits for the broker, so that it would count twice if it were sent again; its score takes the loss's place.
        store.lose(lost)
    except MienError:
        store.lose(lost)
        detail = "The broker does not take the text; try again in a few seconds."
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"}) from None


async def _body(request: Request) -> bytes:
    media = bytearray()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(QUIET_S) as limit:
            async for part in request.stream():
                media += part
                limit.reschedule(loop.time() + QUIET_S)
    except (ClientDisconnect, TimeoutError):
        detail = "The recording broke off on its way; send it again."
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, detail, headers={"Connection": "close"}) from None
    return bytes(media)


def opened(ingest: Ingest, store: SessionStore, started: SessionStarted, media: bytes) -> Callable[[], None]:
    """Open a recording, and return what sends it to its end, or until its session is erased.

    Raises:
        ProblemError: If it cannot be read.
    """

    def tell(done_s: float, duration_s: float | None) -> None:
        if not store.tell_progress(started.session_id, done_s, duration_s):
            raise MienError("The session is gone; its recording is not read on.")

    try:
        return ingest.recording(started, media, tell)
    except BadInputError as error:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error)) from None


def _send(send: Callable[[], None], session_id: str, slots: threading.BoundedSemaphore) -> None:
    try:
        send()
    except MienError as error:
        logger.warning("recording not read to its end", extra={"session_id": session_id, "error": str(error)})
    except Exception:
        logger.exception("recording failed", extra={"session_id": session_id})
    finally:
        slots.release()
