"""The two questions that an orchestrator asks."""

from http import HTTPStatus

import redis
from fastapi import APIRouter, Request

from services.fusion.api.models import Health
from services.fusion.api.problems import ProblemError, documented
from services.fusion.api.security import Store

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Health:
    """Is the process sound?

    It answers on the event loop: the threads may all be waiting for a store that does not answer, and that is no reason
    to start this process anew.
    """
    return Health(status="ok")


@router.get("/readyz", responses=documented(HTTPStatus.SERVICE_UNAVAILABLE))
def readyz(request: Request, store: Store) -> Health:
    """Does it take work? Redis answers, and scores are being consumed."""
    try:
        store.ping()
    except redis.RedisError:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "Redis does not answer; check REDIS_URL.") from None
    if not request.app.state.is_consuming():
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "No scores are consumed; check the broker at AMQP_URL.")
    return Health(status="ready")
