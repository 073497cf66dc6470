"""The HTTP API as one application."""

import threading
from collections.abc import Callable

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from services.fusion.api import dashboard, docs, events, health, inputs, live, metrics, reading, sessions
from services.fusion.api.follow import Follower
from services.fusion.api.headers import HeadersMiddleware
from services.fusion.api.limits import LimitsMiddleware
from services.fusion.api.ports import Ingest
from services.fusion.api.problems import add_handlers
from services.fusion.api.security import Opened
from services.fusion.settings import FusionSettings
from services.fusion.store.session_store import SessionStore
from shared import __version__
from shared.broker.port import Broker

_DESCRIPTION = """
One mood from 1 (very low) to 5 (very high) out of what is said, how it is said and how the face moves, with the range
that it is sure of and the evidence behind it.

Create a session, give its id and token to a capture agent or upload a recording, and read its result or follow it as it
comes. Errors are `application/problem+json`.
"""


def create_app(
    store: SessionStore,
    settings: FusionSettings,
    is_consuming: Callable[[], bool] = lambda: True,
    *,
    broker: Broker | None = None,
    ingest: Ingest | None = None,
) -> FastAPI:
    """Return the HTTP API over a store.

    Args:
        store: Where sessions are kept.
        settings: Which keys may create sessions, and the limits.
        is_consuming: Asked for ``/readyz``: whether scores are being consumed.
        broker: Where typed text goes; without one it is refused.
        ingest: What reads recordings and live sound and pictures; without it they are refused.
    """
    app = FastAPI(title="Mien", version=__version__, description=_DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.store, app.state.settings, app.state.is_consuming = store, settings, is_consuming
    app.state.broker, app.state.ingest = broker, ingest
    app.state.follower, app.state.interims = Follower(store.events), events.Interims(store)
    app.state.live, app.state.opened = {}, Opened()
    app.state.upload_slots = threading.BoundedSemaphore(inputs.MAX_AT_ONCE)
    for module in (sessions, reading, events, inputs, live, health, metrics, docs, dashboard):
        app.include_router(module.router)
    add_handlers(app)
    _protect(app, settings)
    return app


def _protect(app: FastAPI, settings: FusionSettings) -> None:
    """Put the layers around the app, the innermost first."""
    app.add_middleware(
        LimitsMiddleware,
        rates=app.state.store.rates,
        rate=settings.fusion_rate,
        guesses=settings.fusion_guess_rate,
        max_media_bytes=settings.fusion_max_media_mb * 10**6,
    )
    if settings.fusion_cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.fusion_cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "X-API-Key"],
            expose_headers=["ETag", "Retry-After", "traceparent"],
        )
    app.add_middleware(HeadersMiddleware)
    app.add_middleware(metrics.MetricsMiddleware)
