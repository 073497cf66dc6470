"""The HTTP API of the fusion service."""

from services.fusion.api.app import create_app

__all__ = ["create_app"]
