"""How often and how much: token buckets by key, token and address, and the size of a request's body."""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from fastapi import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.fusion.api.problems import problem_response

MAX_BODY_BYTES: Final = 64 * 1024
_OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_REMEMBERED: Final = 10_000
_CLOSE: Final = {"Connection": "close"}
_GUESS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND})


class Buckets:
    """Token buckets by name (Turner 1986); the names used longest ago are forgotten.

    Args:
        rate: Tokens that come back a second.
        burst: Tokens that a full bucket holds.
        clock: Seconds that only grow.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, count: float = 1.0) -> float:
        """Take tokens, and return 0; where there are too few take none, and return the seconds until there are."""
        return self._ask(name, count, spend=True)

    def look(self, name: str) -> float:
        """Return the seconds until there is a token, and take none."""
        return self._ask(name, 1.0, spend=False)

    def _ask(self, name: str, count: float, *, spend: bool) -> float:
        now = self._clock()
        with self._lock:
            left, since = self._buckets.pop(name, (self._burst, now))
            left = min(self._burst, left + (now - since) * self._rate)
            taken = count if spend and left >= count else 0.0
            self._buckets[name] = (left - taken, now)
            if len(self._buckets) > _REMEMBERED:
                self._buckets.popitem(last=False)
        return 0.0 if left >= count else (count - left) / self._rate


class LimitsMiddleware:
    """Refuses what comes too often (429) or is too large (413).

    A credential has a bucket of its own, and so has an address without one. Answers of 401 and 404 use up another
    bucket of the address, so that tokens cannot be guessed with a new one each time.

    Args:
        app: What is protected.
        rate: Requests a second of one credential or address.
        guesses: Wrong tokens a second of one address.
        max_media_bytes: Greatest recording.
    """

    def __init__(self, app: ASGIApp, *, rate: float, guesses: float, max_media_bytes: int) -> None:
        self._app = app
        self._requests = Buckets(rate, 2 * rate)
        self._guesses = Buckets(guesses, 10 * guesses)
        self._max_media_bytes = max_media_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        address = request.client.host if request.client else "unknown"
        wait_s = self._requests.take(_who(request, address)) or self._guesses.look(address)
        largest = self._max_media_bytes if scope["path"].endswith("/media") else MAX_BODY_BYTES
        if wait_s:
            detail = "Too many requests; wait as long as Retry-After says, in seconds."
            headers = {"Retry-After": str(math.ceil(wait_s))}
            await problem_response(HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers)(scope, receive, send)
        elif int(_length(request)) > largest:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await problem_response(status, f"{_sentence(largest)}.", headers=_CLOSE)(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive, largest), self._watched(send, address))

    def _watched(self, send: Send, address: str) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _GUESS:
                self._guesses.take(address)
            await send(message)

        return watched


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


def _who(request: Request, address: str) -> str:
    credential = request.headers.get("authorization") or request.headers.get("x-api-key")
    return hashlib.sha256(credential.encode()).hexdigest() if credential else address
