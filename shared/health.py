"""The two questions that an orchestrator asks a service, and its figures for Prometheus, over HTTP."""

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar, Final, Self

from shared import metrics

_PLAIN: Final = "text/plain; charset=utf-8"


class HealthServer:
    """Answers ``GET /healthz`` (is the process sound?) and ``GET /readyz`` (does it take work?) with 200 or 503.

    ``GET /metrics`` answers with what the process counts.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        healthy: Asked for ``/healthz``.
        ready: Asked for ``/readyz``.
    """

    def __init__(self, host: str, port: int, *, healthy: Callable[[], bool], ready: Callable[[], bool]) -> None:
        handler = type("Handler", (_Handler,), {"checks": {"/healthz": healthy, "/readyz": ready}})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._thread = Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    checks: ClassVar[dict[str, Callable[[], bool]]]

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, metrics.exposition(), metrics.CONTENT_TYPE)
            return
        check = self.checks.get(self.path)
        status = HTTPStatus.NOT_FOUND
        if check is not None:
            status = HTTPStatus.OK if check() else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(status, f"{status.phrase}\n".encode(), _PLAIN)

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a probe every few seconds is not news."""
