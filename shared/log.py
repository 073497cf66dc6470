"""Structured logs: one JSON object a line, with ids, counts and durations; never a person's words, face or scores."""

import logging
import sys
from typing import Final

from pythonjsonlogger.json import JsonFormatter

_NOISY: Final = ("faster_whisper", "numba", "httpx", "uvicorn.access")


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send every log record to standard error as JSON, named after the service.

    Args:
        service: Goes into each line as ``service``.
        level: The least severe level that is written.
    """
    formatter = JsonFormatter(
        "{asctime}{levelname}{name}{message}",
        style="{",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        static_fields={"service": service},
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
