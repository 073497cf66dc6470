"""How often and how much: token buckets by key, token and address, and the size of a request's body."""

import contextlib
import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import redis
from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.fusion.api.problems import problem_response
from services.fusion.store.rates import Bucket, Rates

MAX_BODY_BYTES: Final = 64 * 1024
AUTHORIZATION: Final = "authorization"
API_KEY: Final = "x-api-key"
"""The headers that carry a session's token and an API key."""

_OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_CLOSE: Final = {"Connection": "close"}
_GUESS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND})
_REMEMBERED: Final = 10_000
_TRY_AGAIN_LATER: Final = 1013
"""Of the close codes of WebSockets, as the registry of RFC 6455 has it."""


class LimitsMiddleware:
    """Refuses what comes too often (429) or is too large (413).

    A credential that was right before has a bucket of its own; all else counts for its address, or a new credential
    each time would be a new bucket each time. Wrong credentials use up another bucket of the address, so that tokens
    cannot be guessed; credentials that were right before do not wait for it, for many people may share an address. The
    buckets are in the store, where all processes of the API take from them; while it is away nothing is counted, and
    nothing can be guessed.

    Args:
        app: What is protected.
        rates: Where the buckets are.
        rate: Requests a second of one credential or address.
        guesses: Wrong tokens a second of one address.
        max_media_bytes: Greatest recording.
    """

    def __init__(self, app: ASGIApp, *, rates: Rates, rate: float, guesses: float, max_media_bytes: int) -> None:
        self._app = app
        self._rates = rates
        self._rate, self._guess_rate = rate, guesses
        self._max_media_bytes = max_media_bytes
        self._right: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        address, credentials = _address(request), _credentials(request)
        # Each of them: a right one must not cover for a guess beside it.
        known = bool(credentials) and all(each in self._right for each in credentials.values())
        who = next(iter(credentials.values())) if known else address
        guesses = self._guesses(address) if credentials and not known else None
        wait_s = await run_in_threadpool(self._wait_s, who, guesses)
        largest = self._max_media_bytes if scope["path"].endswith("/media") else MAX_BODY_BYTES
        if wait_s:
            detail = "Too many requests; wait as long as Retry-After says, in seconds."
            headers = {"Retry-After": str(math.ceil(wait_s))}
            await problem_response(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers)(scope, receive, send)
        elif int(_length(request)) > largest:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await problem_response(status, f"{_sentence(largest)}.", headers=_CLOSE)(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive, largest), self._watched(send, request, address, credentials))

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a socket on; its token comes in its first message, so that it counts as a guess until that was right."""
        socket = HTTPConnection(scope)
        address = _address(socket)
        if await run_in_threadpool(self._wait_s, address, self._guesses(address)):
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
            return
        let_in(socket, by=None)
        await self._app(scope, receive, send)
        if not socket.state.let_in:
            await run_in_threadpool(self._guessed, address)

    def _wait_s(self, who: str, guesses: Bucket | None) -> float:
        try:
            return self._rates.wait_s(Bucket(name=who, rate=self._rate, full=max(1.0, 2 * self._rate)), guesses)
        except redis.RedisError:
            return 0.0

    def _guesses(self, address: str) -> Bucket:
        return Bucket(name=f"guess:{address}", rate=self._guess_rate, full=max(1.0, 10 * self._guess_rate))

    def _guessed(self, address: str) -> None:
        with contextlib.suppress(redis.RedisError):
            self._rates.take(self._guesses(address))

    def _remember(self, credential: str) -> None:
        self._right[credential] = None
        self._right.move_to_end(credential)
        if len(self._right) > _REMEMBERED:
            self._right.popitem(last=False)

    def _watched(self, send: Send, request: Request, address: str, credentials: Mapping[str, str]) -> Send:
        let_in(request, by=None)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and credentials:
                if request.state.let_in:
                    self._remember(credentials[request.state.let_in])
                elif message["status"] in _GUESS:
                    await run_in_threadpool(self._guessed, address)
            await send(message)

        return watched


def let_in(connection: HTTPConnection, *, by: str | None) -> None:
    """Note which header's credential was right, or what else let a socket in; None as long as nothing was."""
    connection.state.let_in = by


def _sentence(largest: int) -> str:
    return f"The body is larger than {largest:,} bytes; send less"


def _bounded(receive: Receive, largest: int) -> Receive:
    """Count what really comes, for a length may be missing or wrong."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > largest:
            # FastAPI lets its own exception through where it would hide any other as a body that cannot be parsed.
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _sentence(largest), headers=_CLOSE)
        return message

    return bounded


def _length(request: Request) -> str:
    stated = request.headers.get("content-length", "")
    return stated if stated.isdecimal() and len(stated) < 20 else "0"


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "unknown"


def _credentials(request: Request) -> dict[str, str]:
    """Return the digest of each credential by its header; however its scheme is written, a token is the same one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    stated = {AUTHORIZATION: f"{scheme.lower()} {token}".strip(), API_KEY: request.headers.get(API_KEY, "")}
    return {header: hashlib.sha256(each.encode()).hexdigest() for header, each in stated.items() if each}
