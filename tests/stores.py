"""A session store in memory, and the API over a store, for tests that need no server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import fakeredis
from fastapi import FastAPI

from services.fusion.api import Server, create_app
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore


def memory_store(server: fakeredis.FakeServer | None = None) -> SessionStore:
    """Return a store in memory.

    Args:
        server: What keeps it, where another client sees it too or it is to go away; None for a server of its own.
    """
    return SessionStore(fakeredis.FakeRedis(server=server, decode_responses=True))


UNHURRIED: Final = FusionSettings(fusion_rate=10_000)
"""So many requests that no page and no test meets the limit."""


@contextmanager
def serving(store: SessionStore, settings: FusionSettings = UNHURRIED) -> Iterator[str]:
    """Serve the API and the dashboard over a store, in a thread, and give their address."""
    with served(create_app(store, settings)) as address:
        yield address


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application in a thread, and give its address."""
    server = Server(app)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
