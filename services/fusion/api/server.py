"""The web server of the HTTP API."""

import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from shared.errors import SettingsError

_MAX_SOCKET_MESSAGE_BYTES = 512 * 1024
_SWITCH_S = 0.0005


class Server(uvicorn.Server):
    """Serves the API until SIGTERM; event streams end first, so that nobody waits for them.

    Args:
        app: What :func:`~services.fusion.api.app.create_app` returned.
        cert_file: Its certificate chain (PEM), for HTTPS; plain HTTP where it is None.
        key_file: The private key (PEM), where it is not in the same file.

    Raises:
        SettingsError: If the certificate or the key cannot be used.
    """

    def __init__(self, app: FastAPI, cert_file: Path | None = None, key_file: Path | None = None) -> None:
        if cert_file is not None:
            _check(cert_file, key_file)
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            server_header=False,
            forwarded_allow_ips=[str(network) for network in app.state.settings.fusion_trusted_proxies],
            timeout_graceful_shutdown=10,
            ws_max_size=_MAX_SOCKET_MESSAGE_BYTES,
            ssl_certfile=cert_file,
            ssl_keyfile=key_file,
        )
        super().__init__(config)
        self._app = app
        self._is_over: Callable[[], bool] = lambda: False

    def run(self, sockets: list[socket.socket] | None = None, is_over: Callable[[], bool] = lambda: False) -> None:
        """Serve until told to stop.

        Args:
            sockets: What to listen on.
            is_over: Asked once the server itself hears the signals: whether one came before that.
        """
        self._is_over = is_over
        # The event loop shares the interpreter with the store's threads: at Python's 5 ms it would wait for each of
        # them in turn, several times a request.
        sys.setswitchinterval(_SWITCH_S)
        super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, or end at once where a signal came before there was anybody to hear it."""
        await super().startup(sockets)
        self.should_exit = self.should_exit or self._is_over()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would go on for ever, then shut down."""
        self._app.state.follower.close()
        await super().shutdown(sockets)


def _check(cert_file: Path, key_file: Path | None) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"The certificate {cert_file} cannot be used ({error}); "
            "set FUSION_TLS_CERT_FILE and FUSION_TLS_KEY_FILE to a chain and its key in PEM."
        ) from None
