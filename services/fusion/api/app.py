"""The HTTP API as one application."""

from collections.abc import Callable

from fastapi import FastAPI

from services.fusion.api import health, sessions
from services.fusion.api.problems import add_handlers
from services.fusion.settings import FusionSettings
from services.fusion.store.session_store import SessionStore
from shared import __version__

_DESCRIPTION = """
One mood from 1 (very low) to 5 (very high) out of what is said, how it is said and how the face moves, with the range
that it is sure of and the evidence behind it.

Create a session, give its id and token to a capture agent, and read its result. Errors are `application/problem+json`.
"""


def create_app(
    store: SessionStore, settings: FusionSettings, is_consuming: Callable[[], bool] = lambda: True
) -> FastAPI:
    """Return the HTTP API over a store.

    Args:
        store: Where sessions are kept.
        settings: Which keys may create sessions.
        is_consuming: Asked for ``/readyz``: whether scores are being consumed.
    """
    app = FastAPI(title="Mien", version=__version__, description=_DESCRIPTION)
    app.state.store = store
    app.state.settings = settings
    app.state.is_consuming = is_consuming
    app.include_router(sessions.router)
    app.include_router(health.router)
    add_handlers(app)
    return app
