"""A network camera of our own, an MJPEG stream on loopback that a test may cut; and a server for whole recordings."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05
FRAMES_PER_SECOND: Final = 25


def picture(number: int) -> NDArray[np.uint8]:
    """Return a picture, BGR, 800 by 600 pixels: orange on the left, as bright as its number says, blue on the right."""
    image = np.zeros((600, 800, 3), dtype=np.uint8)
    bright = 100 + 10 * (number % 15)
    image[:, :400] = (0, bright // 2, bright)
    image[:, 400:] = (200, 0, 0)
    return image


class NetworkCamera:
    """Shows pictures, 25 a second.

    Args:
        look: Gives the picture of a number, BGR; by default one that gets brighter and darker.
        alone: Whether it shows itself to one at a time, and refuses everybody else meanwhile.

    Attributes:
        url: Where it is.
        still: Whether its picture stands still.
    """

    def __init__(self, look: Callable[[int], NDArray[np.uint8]] = picture, *, alone: bool = False) -> None:
        camera = self
        self._look = look

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._serve(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._over = threading.Event()
        self._plugged = threading.Event()
        self._plugged.set()
        self.still = False
        self._alone = alone
        self._free = threading.Lock()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/stream.mjpg"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL_S,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Break off what is shown, and show nothing to whoever asks."""
        self._plugged.clear()

    def plug_in(self) -> None:
        """Show pictures again."""
        self._plugged.set()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(TIMEOUT_S)

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        if not self._plugged.is_set() or (self._alone and not self._free.acquire(blocking=False)):
            request.send_error(503)
            return
        try:
            self._show(request)
        except OSError:
            return  # whoever looked has gone
        finally:
            if self._alone:
                self._free.release()

    def _show(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        number = 0
        while self._plugged.is_set() and not self._over.wait(1 / FRAMES_PER_SECOND):
            jpeg = cv2.imencode(".jpg", self._look(0 if self.still else number))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            request.wfile.write(head.encode() + jpeg + b"\r\n")
            number += 1


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on loopback, and give its URL."""
    with _listening(partial(_Folder, directory=str(folder))) as url:
        yield url


@contextmanager
def broadcast(media: bytes) -> Iterator[str]:
    """Send a stream of unstated length to whoever asks, from its beginning, and give its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(media)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _listening(Handler) as url:
        yield f"{url}/stream.ts"


@contextmanager
def _listening(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Folder(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
