"""What the service counts, for Prometheus."""

import contextlib
import time
from http import HTTPStatus
from typing import Final, cast

import redis
from fastapi import APIRouter, Request
from prometheus_client import Counter, Gauge, Histogram
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.fusion.api.security import Store
from shared import metrics
from shared.broker.port import Broker
from shared.errors import BrokerError
from shared.topology import TOPOLOGY

REQUESTS: Final = Histogram("mien_http_request_seconds", "Seconds to an answer's first byte.", ["route", "status"])
FOLLOWERS: Final = Gauge("mien_event_streams", "Clients that follow a session's events.")
SESSIONS_LIVE: Final = Gauge("mien_sessions_live", "Sessions that go on, as the store has it.")
QUEUE_MESSAGES: Final = Gauge("mien_queue_messages", "Messages that wait in a queue.", ["queue"])
QUEUE_CONSUMERS: Final = Gauge("mien_queue_consumers", "Consumers of a queue, wherever they run.", ["queue"])
STORE_FAILURES: Final = Counter("mien_store_failures", "Scrapes at which the store did not answer.")

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={int(HTTPStatus.OK): {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
)
def read_metrics(request: Request, store: Store) -> Response:
    """Read what the service counts: requests, sessions that go on, what waits in the queues, lag, reconnects."""
    try:
        SESSIONS_LIVE.set(store.directory.count_live())
    except redis.RedisError:
        STORE_FAILURES.inc()
    broker = cast("Broker | None", request.app.state.broker)
    if broker is not None:
        _look_at_queues(broker)
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)


def _look_at_queues(broker: Broker) -> None:
    """Set what waits where; while the broker is away nothing is said of it, rather than what was true once.

    One that takes nothing for want of memory or disk may not answer either, longer than a scrape waits.
    """
    QUEUE_MESSAGES.clear()
    QUEUE_CONSUMERS.clear()
    with contextlib.suppress(BrokerError):
        for queue in TOPOLOGY.queues:
            if broker.connected and not broker.blocked:
                QUEUE_MESSAGES.labels(queue.name).set(broker.depth(queue.name))
                QUEUE_CONSUMERS.labels(queue.name).set(broker.consumers(queue.name))


class MetricsMiddleware:
    """Times every request by its route, never by its path, which names a session.

    Args:
        app: What is timed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, is_answered = time.perf_counter(), False

        def observe(status: int) -> None:
            nonlocal is_answered
            is_answered = True
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(route, status).observe(time.perf_counter() - begun)

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                observe(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, timed)
        except Exception:
            # Starlette answers faults of ours itself, outside of every middleware.
            if not is_answered:
                observe(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise
