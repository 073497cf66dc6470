"""``mien serve``: every service in this process, with the HTTP API and the dashboard on this machine."""

import hashlib
import secrets
import socket
from collections.abc import Sequence
from contextlib import ExitStack

import typer
from rich.console import Console

from services import connected
from services.embedded import Embedded
from services.fusion.api import Server
from services.fusion.settings import FusionSettings
from shared.emotions import Modality
from shared.errors import SettingsError
from shared.log import configure_logging

LOOPBACK = "127.0.0.1"


def serve(port: int, modalities: Sequence[Modality]) -> None:
    """Serve until interrupted, and print a link that opens the dashboard.

    Args:
        port: Where to listen, on loopback alone; 0 takes a free one.
        modalities: Which workers to run.

    Raises:
        SettingsError: If the port is taken.
        WeightsError: If weights are missing or altered.
    """
    configure_logging("mien", "WARNING")
    key = secrets.token_urlsafe(24)
    settings = FusionSettings(fusion_api_keys=(hashlib.sha256(key.encode()).hexdigest(),))
    console = Console(stderr=True)
    status = console.status("Loading the models")
    with listen(port) as bound, ExitStack() as stack:
        with status:
            mien = stack.enter_context(Embedded(modalities))
        typer.echo(f"http://{LOOPBACK}:{bound.getsockname()[1]}/#key={key}")
        console.print("Open that link. It holds a key for this run: whoever has it can start and list sessions.")
        console.print("Everything stays in this process and is gone when it ends; press Ctrl+C for that.", style="dim")
        Server(mien.api(settings)).run(sockets=[bound])


def serve_connected() -> int:
    """Serve over the real system's RabbitMQ and Redis, as the environment names them, and return the exit code."""
    return connected.main()


def listen(port: int) -> socket.socket:
    """Return a socket that listens on loopback.

    Args:
        port: Its port; 0 takes a free one.

    Raises:
        SettingsError: If the port is taken.
    """
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise SettingsError(f"Port {port} cannot be had ({error.strerror}); name another one with --port.") from None
