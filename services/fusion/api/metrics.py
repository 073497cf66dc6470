"""What the service counts, for Prometheus."""

import time
from http import HTTPStatus
from typing import Final

import redis
from fastapi import APIRouter
from prometheus_client import Counter, Gauge, Histogram
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.fusion.api.security import Store
from shared import metrics

REQUESTS: Final = Histogram("mien_http_request_seconds", "Seconds to an answer's first byte.", ["route", "status"])
FOLLOWERS: Final = Gauge("mien_event_streams", "Clients that follow a session's events.")
SESSIONS_LIVE: Final = Gauge("mien_sessions_live", "Sessions that go on, as the store has it.")
STORE_FAILURES: Final = Counter("mien_store_failures", "Scrapes at which the store did not answer.")

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={int(HTTPStatus.OK): {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
)
def read_metrics(store: Store) -> Response:
    """Read what the service counts: requests, sessions that go on, clients that follow, reconnects."""
    try:
        SESSIONS_LIVE.set(store.directory.count_live())
    except redis.RedisError:
        STORE_FAILURES.inc()
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


class MetricsMiddleware:
    """Times every request by its route, never by its path, which names a session.

    Args:
        app: What is timed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        begun = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                REQUESTS.labels(route, message["status"]).observe(time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, timed if scope["type"] == "http" else send)
