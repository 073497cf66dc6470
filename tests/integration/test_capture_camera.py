"""A real camera for OpenCV: an MJPEG stream on loopback, cut off and back, through the agent to a broker."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import monotonic
from urllib.request import urlopen

import numpy as np
import pytest
import soundfile

from services.capture.devices import choose_device, find_device, list_cameras, open_live
from services.capture.sources.network import NetworkSource
from services.capture.sources.port import AudioBlock
from shared.emotions import Modality
from shared.errors import BadInputError, DeviceError
from shared.media.jpeg import decode_jpeg
from tests import films
from tests.camera import NetworkCamera, broadcast, served
from tests.capture_session import LiveSession, until
from tests.e2e.command import SAMPLE


@pytest.fixture
def camera() -> Iterator[NetworkCamera]:
    camera = NetworkCamera()
    yield camera
    camera.close()


def test_a_camera_that_is_unplugged_and_returns(camera: NetworkCamera) -> None:
    source = open_live(microphone=False, camera=camera.url, frames_per_second=10)
    with LiveSession(source, Modality.FACE) as session:
        until(lambda: len(session.frames) >= 8, "seen")
        camera.unplug()
        sentence = session.problem()
        before = len(session.frames)
        camera.plug_in()
        until(lambda: len(session.frames) >= before + 5, "seen again")
        assert session.agent.status().problem is None
        preview = session.agent.preview()
        ended = session.end()
    gaps = [after.at_s - one.at_s for one, after in pairwise(session.frames)]
    print(f"\n{sentence}\n{len(session.frames)} frames, median distance {np.median(gaps):.3f} s, gap {max(gaps):.1f} s")  # noqa: T201
    assert sentence.startswith(f"The camera '{camera.url}'")
    assert 0.08 < np.median(gaps) < 0.25
    assert max(gaps) > 0.5, "the time without pictures is a gap, not spliced"
    assert [frame.seq for frame in session.frames] == list(range(ended.frames))
    image = decode_jpeg(session.frames[0].media)
    assert image.shape == (480, 640, 3)
    left, right = image[:, :300].mean(axis=(0, 1)), image[:, 340:].mean(axis=(0, 1))
    assert left[0] > left[1] > left[2]
    assert right[2] > 150 > right[0]
    assert preview is not None
    assert preview.shape == (480, 640, 3)


def test_a_camera_that_another_program_holds_is_waited_for() -> None:
    camera = NetworkCamera(alone=True)
    with urlopen(camera.url) as other:  # noqa: S310  (of our own)
        other.read(1)
        with LiveSession(open_live(microphone=False, camera=camera.url), Modality.FACE) as session:
            sentence = session.problem()
            assert session.frames == []
            other.close()
            until(lambda: len(session.frames) >= 3, "seen once it is free")
            session.until_well()
    camera.close()
    print(f"\n{sentence}\n{len(session.frames)} frames")  # noqa: T201
    assert "does no other program use it?" in sentence
    assert sentence.endswith("It goes on when it returns.")


def test_a_camera_that_is_plugged_in_after_the_start_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "camera"
    with LiveSession(open_live(microphone=False, camera=str(path)), Modality.FACE) as session:
        sentence = session.problem()
        path.symlink_to(SAMPLE.absolute())
        until(lambda: len(session.frames) >= 3, "seen")
    assert sentence.startswith(f"There is no camera at {path};")


def test_a_picture_that_stands_still_is_sent_once_a_second(camera: NetworkCamera) -> None:
    camera.still = True
    source = open_live(microphone=False, camera=camera.url, frames_per_second=10)
    with LiveSession(source, Modality.FACE) as session:
        until(lambda: len(session.frames) >= 3, "seen")
    assert all(after.at_s - one.at_s >= 0.99 for one, after in pairwise(session.frames))


def test_a_network_stream_through_pyav_is_as_a_camera(camera: NetworkCamera) -> None:
    with LiveSession(NetworkSource(camera.url, fps=5), Modality.FACE) as session:
        until(lambda: len(session.frames) >= 5, "seen")
        camera.unplug()
        session.problem()
        before = len(session.frames)
        camera.plug_in()
        until(lambda: len(session.frames) >= before + 3, "seen again")
    assert all(after.at_s > one.at_s for one, after in pairwise(session.frames))
    assert np.median([after.at_s - one.at_s for one, after in pairwise(session.frames)]) == pytest.approx(0.2, abs=0.1)


def test_a_recording_on_a_server_plays_at_its_own_pace_and_ends(tmp_path: Path) -> None:
    wave = 0.3 * np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / "a.wav", wave, 16_000)
    with served(tmp_path) as url:
        begun = monotonic()
        items = list(NetworkSource(f"{url}/a.wav"))
        took_s = monotonic() - begun
    blocks = [item for item in items if isinstance(item, AudioBlock)]
    heard = np.concatenate([block.samples for block in blocks])
    assert len(heard) == len(wave)
    assert np.abs(heard - wave).max() < 0.01
    assert took_s > 0.8
    assert all(after.start_s == pytest.approx(before.end_s) for before, after in pairwise(blocks))


def test_a_stream_whose_timestamps_leap_goes_on() -> None:
    loud_s = 0.0
    with broadcast(films.leaping(600.0)) as url:
        for item in NetworkSource(url):
            if isinstance(item, AudioBlock):
                loud_s += np.count_nonzero(np.abs(item.samples) > 0.01) / 16_000
            if loud_s > 0.8 * films.LENGTH_S or item.end_s > 3 * films.LENGTH_S:
                break
    assert loud_s > 0.8 * films.LENGTH_S, "what comes after the leap is heard at once"


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
    assert choose_device("camera", "nobody").missing
    with pytest.raises(BadInputError, match="Neither"):
        open_live(microphone=False, camera=False)
    with pytest.raises(BadInputError, match="frame rate"):
        open_live(microphone=False, frames_per_second=0)
