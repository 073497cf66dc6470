"""The web server of the HTTP API."""

import socket
import sys

import uvicorn
from fastapi import FastAPI

_MAX_SOCKET_MESSAGE_BYTES = 512 * 1024
_SWITCH_S = 0.0005


class Server(uvicorn.Server):
    """Serves the API until SIGTERM; event streams end first, so that nobody waits for them.

    Args:
        app: What :func:`~services.fusion.api.app.create_app` returned.
    """

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=10,
            ws_max_size=_MAX_SOCKET_MESSAGE_BYTES,
        )
        super().__init__(config)
        self._app = app

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        # The event loop shares the interpreter with the store's threads: at Python's 5 ms it would wait for each of
        # them in turn, several times a request.
        sys.setswitchinterval(_SWITCH_S)
        super().run(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would go on for ever, then shut down."""
        self._app.state.follower.close()
        await super().shutdown(sockets)
