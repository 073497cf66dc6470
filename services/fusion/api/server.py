"""The web server of the HTTP API."""

import socket

import uvicorn
from fastapi import FastAPI

_MAX_SOCKET_MESSAGE_BYTES = 512 * 1024


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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would go on for ever, then shut down."""
        self._app.state.follower.close()
        await super().shutdown(sockets)
