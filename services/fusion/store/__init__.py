"""Sessions in Redis: the one implementation for a Redis server and for ``fakeredis`` in one process."""

from services.fusion.store.client import connect
from services.fusion.store.commands import Operation
from services.fusion.store.session_store import SessionStore

__all__ = ["Operation", "SessionStore", "connect"]
