"""``mien live`` at a terminal and in a browser's place: consent, keys, mood, card."""

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Final

import av
import cv2
import numpy as np
import pytest

from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from tests.e2e.command import SAMPLE, mien
from tests.e2e.terminal import Terminal
from tests.servers import NoServerError
from tests.sound import Room

CTRL_C: Final = "\x03"
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


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """A microphone in a room where the sample is played."""
    try:
        room = Room(tmp_path, monkeypatch.setenv)
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(f"NOT TESTED on a real microphone: {error}")
    blocks = [item.samples for item in FileSource(SAMPLE, video=False) if isinstance(item, AudioBlock)]
    player = room.play(np.concatenate(blocks * 5))
    yield room
    player.kill()
    player.wait()
    room.close()


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("room")
def test_a_person_agrees_sees_the_mood_pauses_mutes_forgets_and_ends(camera: Camera) -> None:
    listed = mien("devices", "--json")
    assert "room" in {each["name"] for each in json.loads(listed.stdout)}
    with Terminal("live", "--microphone", "room", "--camera", camera.url, "--no-browser") as terminal:
        terminal.expect("Before anything is recorded")
        terminal.expect("nowhere: everything is judged on this machine")
        terminal.expect("What is it for?")
        terminal.press("\n")
        terminal.expect("agree?")
        terminal.press("y\n")
        terminal.expect("● RECORDING 0:")
        terminal.expect("dBFS  speech")
        terminal.expect("face seen")
        terminal.expect("of 5")
        terminal.expect("speech    1 sent")
        terminal.press("p")
        terminal.expect("‖ PAUSED")
        terminal.press("p")
        terminal.expect("● RECORDING 0")
        terminal.press("m")
        terminal.expect("● RECORDING WITHOUT SOUND")
        terminal.press("f")
        terminal.expect("The last minute is forgotten")
        terminal.press("m")
        terminal.expect("dBFS  speech")
        terminal.press(CTRL_C)
        terminal.expect("What each modality says")
        terminal.expect("of every chunk (complete)")
        terminal.expect("Press any key")
        terminal.press("x")
        assert terminal.end() == 0
    keep(terminal, "live-terminal")


def test_deleting_asks_first_and_leaves_no_result(camera: Camera) -> None:
    with Terminal("live", "--no-microphone", "--camera", camera.url, "--no-browser", "--consent") as terminal:
        terminal.expect("● RECORDING")
        terminal.press("d")
        terminal.expect("Delete everything about this session? [y] yes")
        terminal.press("n")
        terminal.expect("[d] delete the session")
        terminal.press("d")
        terminal.expect("Delete everything about this session?")
        terminal.press("y")
        terminal.expect("The session is erased")
        assert terminal.end() == 0
    assert "What each modality says" not in terminal.shown


def keep(terminal: Terminal, name: str) -> None:
    """Keep what a terminal showed, as it was drawn."""
    folder = Path("build/recordings")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ansi").write_bytes(terminal.raw)
