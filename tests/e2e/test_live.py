"""``mien live`` at a terminal and in a browser's place: consent, keys, mood, card."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Final

import av
import cv2
import pytest

from tests.e2e.command import SAMPLE
from tests.e2e.terminal import Terminal

_FPS: Final = 10


class Camera(ThreadingHTTPServer):
    """A camera that speaks MJPEG on loopback and shows the sample over and over."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Pictures)
        self.over = Event()
        with av.open(str(SAMPLE)) as recording:
            frames = [frame.to_ndarray(format="bgr24") for frame in recording.decode(video=0)][::3]
        self.pictures = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/camera.mjpg"


class _Pictures(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        while True:
            for picture in self.server.pictures:
                if self.server.over.wait(1 / _FPS):
                    return
                part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                try:
                    self.wfile.write(part + picture + b"\r\n")
                except OSError:
                    return

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def camera() -> Iterator[Camera]:
    with Camera() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def test_a_person_agrees_sees_the_mood_pauses_forgets_and_ends(camera: Camera) -> None:
    with Terminal("live", "--no-microphone", "--camera", camera.url, "--no-browser") as terminal:
        terminal.expect("Before anything is recorded")
        terminal.expect("nowhere: everything is judged on this machine")
        terminal.press("\n")
        terminal.expect("agree?")
        terminal.press("y\n")
        terminal.expect("● RECORDING 0:0")
        terminal.expect("face seen")
        terminal.expect("of 5")
        terminal.press("p")
        terminal.expect("‖ PAUSED")
        terminal.press("p")
        terminal.expect("● RECORDING")
        terminal.press("f")
        terminal.expect("The last minute is forgotten")
        terminal.expect("face seen")
        terminal.press("q")
        terminal.expect("What each modality says")
        terminal.expect("The session: http://127.0.0.1:")
        terminal.expect("Press any key")
        terminal.press("x")
        assert terminal.end() == 0
