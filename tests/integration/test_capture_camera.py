"""A real camera for OpenCV: an MJPEG stream on loopback, cut off and back, through the agent to a broker."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
import soundfile

from services.capture.agent import Agent
from services.capture.devices import find_device, list_cameras, open_live
from services.capture.sources.network import NetworkSource
from services.capture.sources.port import AudioBlock, Source
from shared.broker.memory import MemoryBroker
from shared.broker.port import Delivery
from shared.emotions import Modality
from shared.errors import BadInputError, DeviceError
from shared.media.jpeg import decode_jpeg
from shared.messages import FrameChunk, SessionEnded, SessionStarted
from shared.topology import TOPOLOGY
from tests.camera import TIMEOUT_S, NetworkCamera, until


@pytest.fixture
def camera() -> Iterator[NetworkCamera]:
    camera = NetworkCamera()
    yield camera
    camera.close()


class Session:
    """An agent that looks at a source, and the frames that it sends."""

    def __init__(self, source: Source) -> None:
        self.broker = MemoryBroker()
        self.broker.declare(TOPOLOGY)
        self.frames: list[FrameChunk] = []
        self.ended: list[SessionEnded] = []
        started = SessionStarted(
            session_id="session-0001",
            token_sha256="0" * 64,
            consent=True,
            purpose="research",
            modalities=(Modality.FACE,),
            agent_version="0",
            started_at=datetime.now(UTC),
        )
        self.agent = Agent(self.broker, started, live=True)
        self.broker.consume("mien.face", self._take, prefetch=1)
        self._thread = threading.Thread(target=lambda: self.ended.append(self.agent.run(source)))
        self._thread.start()

    def _take(self, delivery: Delivery) -> None:
        self.frames.append(FrameChunk.from_message(delivery.message))
        delivery.ack()

    def end(self) -> None:
        self.agent.stop()
        self._thread.join(TIMEOUT_S)
        self.broker.close()


def test_a_camera_that_is_unplugged_and_returns(camera: NetworkCamera) -> None:
    session = Session(open_live(microphone=False, camera=camera.url, frames_per_second=10))
    try:
        until(lambda: len(session.frames) >= 8, "seen")
        camera.unplug()
        until(lambda: session.agent.status().problem is not None, "told that the camera is gone")
        sentence = session.agent.status().problem or ""
        before = len(session.frames)
        camera.plug_in()
        until(lambda: len(session.frames) >= before + 5, "seen again")
        assert session.agent.status().problem is None
        preview = session.agent.preview()
    finally:
        session.end()
    gaps = [after.at_s - one.at_s for one, after in pairwise(session.frames)]
    print(f"\n{sentence}\n{len(session.frames)} frames, median distance {np.median(gaps):.3f} s, gap {max(gaps):.1f} s")  # noqa: T201
    assert sentence.startswith(f"The camera '{camera.url}'")
    assert 0.08 < np.median(gaps) < 0.25
    assert max(gaps) > 0.5, "the time without pictures is a gap, not spliced"
    assert [frame.seq for frame in session.frames] == list(range(session.ended[0].frames))
    image = decode_jpeg(session.frames[0].media)
    assert image.shape == (480, 640, 3)
    left, right = image[:, :300].mean(axis=(0, 1)), image[:, 340:].mean(axis=(0, 1))
    assert left[0] > left[1] > left[2]
    assert right[2] > 150 > right[0]
    assert preview is not None
    assert preview.shape == (480, 640, 3)


def test_a_picture_that_stands_still_is_sent_once_a_second(camera: NetworkCamera) -> None:
    camera.still = True
    session = Session(open_live(microphone=False, camera=camera.url, frames_per_second=10))
    try:
        until(lambda: len(session.frames) >= 3, "seen")
    finally:
        session.end()
    assert all(after.at_s - one.at_s >= 0.99 for one, after in pairwise(session.frames))


def test_a_network_stream_through_pyav_is_as_a_camera(camera: NetworkCamera) -> None:
    session = Session(NetworkSource(camera.url, fps=5))
    try:
        until(lambda: len(session.frames) >= 5, "seen")
        camera.unplug()
        until(lambda: session.agent.status().problem is not None, "told that the stream is gone")
        before = len(session.frames)
        camera.plug_in()
        until(lambda: len(session.frames) >= before + 3, "seen again")
    finally:
        session.end()
    assert all(after.at_s > one.at_s for one, after in pairwise(session.frames))
    assert np.median([after.at_s - one.at_s for one, after in pairwise(session.frames)]) == pytest.approx(0.2, abs=0.1)


class Folder(SimpleHTTPRequestHandler):
    """Serves the files of one folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_recording_on_a_server_plays_at_its_own_pace_and_ends(tmp_path: Path) -> None:
    wave = 0.3 * np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / "a.wav", wave, 16_000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Folder, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        begun = monotonic()
        items = list(NetworkSource(f"http://127.0.0.1:{server.server_address[1]}/a.wav"))
        took_s = monotonic() - begun
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    blocks = [item for item in items if isinstance(item, AudioBlock)]
    heard = np.concatenate([block.samples for block in blocks])
    assert len(heard) == len(wave)
    assert np.abs(heard - wave).max() < 0.01
    assert took_s > 0.8
    assert all(after.start_s == pytest.approx(before.end_s) for before, after in pairwise(blocks))


def test_a_network_stream_that_is_not_there_is_a_sentence_without_its_password() -> None:
    with pytest.raises(BadInputError, match=r"The stream http://127\.0\.0\.1:9/x\.mjpg cannot be read") as caught:
        NetworkSource("http://somebody:secret@127.0.0.1:9/x.mjpg")
    assert "secret" not in str(caught.value)


def test_cameras_are_listed_by_name_without_their_further_nodes(tmp_path: Path) -> None:
    for node, name, index in (("video0", "Desk camera", 0), ("video1", "Desk camera", 1), ("video10", "Other", 0)):
        folder = tmp_path / node
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "index").write_text(f"{index}\n")
    found = list_cameras(tmp_path)
    assert [(camera.name, camera.address, camera.default) for camera in found] == [
        ("Desk camera", "/dev/video0", True),
        ("Other", "/dev/video10", False),
    ]


def test_a_camera_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(DeviceError, match="no camera at /dev/video99"):
        find_device("camera", "/dev/video99")
    with pytest.raises(DeviceError, match="no camera called 'nobody'"):
        find_device("camera", "nobody")
    with pytest.raises(BadInputError, match="Neither"):
        open_live(microphone=False, camera=False)
    with pytest.raises(BadInputError, match="frame rate"):
        open_live(microphone=False, frames_per_second=0)
