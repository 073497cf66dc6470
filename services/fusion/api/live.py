"""A session from the microphone and camera of a browser, over a WebSocket into the same media exchange."""

import asyncio
import contextlib
import logging
import struct
import time
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import urlsplit

import redis
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from services.fusion.api.inputs import claimed
from services.fusion.api.limits import let_in
from services.fusion.api.ports import Ingest, LiveInput
from services.fusion.api.problems import ProblemError
from services.fusion.api.security import no_such_session
from services.fusion.api.sessions import end_outside
from services.fusion.store.session_store import SessionStore
from shared.errors import BadInputError, MienError
from shared.messages.session import SessionStarted
from shared.messages.speech import SAMPLE_RATE_HZ

logger = logging.getLogger(__name__)

SOUND: Final = 0
PICTURE: Final = 1
_HEADER: Final = struct.Struct("<Bd")
_HELLO_S: Final = 10.0
_QUIET_S: Final = 30.0
_FRAMES_PER_S: Final = 10.0
_BYTES_PER_S: Final = 2 * SAMPLE_RATE_HZ

router = APIRouter(prefix="/v1/sessions")


class _Allowance:
    """What one socket may still send: a token bucket.

    Args:
        rate: What comes back a second.
        full: What it holds at most.
    """

    def __init__(self, rate: float, full: float) -> None:
        self._rate, self._full = rate, full
        self._left, self._since = full, time.monotonic()

    def spend(self, count: float) -> bool:
        """Spend some of it, and return whether there was enough; otherwise nothing is spent."""
        now = time.monotonic()
        self._left, self._since = min(self._full, self._left + (now - self._since) * self._rate), now
        if self._left < count:
            return False
        self._left -= count
        return True


@router.websocket("/{session_id}/live")
async def capture_live(socket: WebSocket, session_id: str) -> None:
    """Take sound and pictures until the client says that it ends, or is gone.

    The first message is JSON with the session's token. Then come binary messages: a byte that says what it is, the
    second at which it begins as a little-endian double, and, after 0, sound (16 kHz mono, signed 16-bit little-endian),
    or, after 1, a JPEG. Sound that was lost on its way is a gap between two such seconds. A text message ends it.
    """
    await socket.accept()
    try:
        started = await _opened(socket, session_id)
        ingest = cast("Ingest", socket.app.state.ingest)
        live = await run_in_threadpool(ingest.live, started)
    except ProblemError as error:
        await _refuse(socket, error.detail)
        return
    except (TimeoutError, WebSocketDisconnect, ValueError, KeyError):
        await _refuse(socket, "Send the session's token first, as JSON.")
        return
    socket.app.state.live[session_id] = live
    try:
        await socket.send_json({"ready": True})
        await _take(socket, live)
    except MienError as error:
        await _refuse(socket, str(error))
    except (WebSocketDisconnect, TimeoutError):
        logger.info("the browser is gone", extra={"session_id": session_id})
    finally:
        await _end(socket, session_id, live)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close()


async def _opened(socket: WebSocket, session_id: str) -> SessionStarted:
    if not _is_ours(socket):
        raise ProblemError(HTTPStatus.FORBIDDEN, "Pages of other sites may not send sound and pictures here.")
    store = cast("SessionStore", socket.app.state.store)
    hello: Any = await asyncio.wait_for(socket.receive_json(), _HELLO_S)
    token = hello.get("token") if isinstance(hello, dict) else None
    if not isinstance(token, str) or not await run_in_threadpool(store.token_matches, session_id, token):
        raise no_such_session()
    let_in(socket, by="its first message")
    if socket.app.state.ingest is None:
        raise ProblemError(
            HTTPStatus.NOT_IMPLEMENTED, "This service takes no live sound or pictures; run `mien serve`."
        )
    return await run_in_threadpool(claimed, store, session_id, "live")


async def _take(socket: WebSocket, live: LiveInput) -> None:
    pictures, sound = _Allowance(_FRAMES_PER_S, 2 * _FRAMES_PER_S), _Allowance(2 * _BYTES_PER_S, 20 * _BYTES_PER_S)
    while True:
        message = await asyncio.wait_for(socket.receive(), _QUIET_S)
        if message["type"] == "websocket.disconnect" or message.get("text") is not None:
            return
        data: bytes = message.get("bytes") or b""
        kind, at_s = _HEADER.unpack_from(data) if len(data) > _HEADER.size else (None, 0.0)
        if kind == SOUND and sound.spend(len(data)):
            await run_in_threadpool(live.hear, at_s, data[_HEADER.size :])
        elif kind == PICTURE:
            if pictures.spend(1):
                await run_in_threadpool(live.see, at_s, data[_HEADER.size :])
        else:
            raise BadInputError("That is neither sound nor a picture, or more than a microphone gives; begin again.")


async def _end(socket: WebSocket, session_id: str, live: LiveInput) -> None:
    socket.app.state.live.pop(session_id, None)
    try:
        await run_in_threadpool(live.end)
    except MienError as error:
        logger.warning("live session not closed", extra={"session_id": session_id, "error": str(error)})
        # Its account did not get through; without an end it would go on until its retention is over.
        with contextlib.suppress(ProblemError, redis.RedisError):
            await run_in_threadpool(end_outside, cast("SessionStore", socket.app.state.store), session_id)


async def _refuse(socket: WebSocket, sentence: str) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.send_json({"error": sentence})
        await socket.close(code=1008)


def _is_ours(socket: WebSocket) -> bool:
    """Return whether a page of this service asks, or one of a site that is let in, or no browser at all."""
    origin = socket.headers.get("origin")
    if origin is None or origin in socket.app.state.settings.fusion_cors_origins:
        return True
    return urlsplit(origin).netloc == socket.headers.get("host")
