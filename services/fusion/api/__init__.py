"""The HTTP API of the fusion service."""

from services.fusion.api.app import create_app
from services.fusion.api.server import Server

__all__ = ["Server", "create_app"]
