"""What a microphone hears and a camera sees in the tests: the sample, said into a room and shown on loopback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from tests.camera import NetworkCamera
from tests.e2e.command import SAMPLE
from tests.e2e.terminal import Terminal
from tests.servers import NoServerError
from tests.sound import Room

_BREATH: Final = np.zeros(16_000, dtype=np.float32)


def said() -> NDArray[np.float32]:
    """Return the sound of the sample: float32 array of shape (n,), 16 kHz mono."""
    return np.concatenate([item.samples for item in FileSource(SAMPLE, video=False) if isinstance(item, AudioBlock)])


@contextmanager
def camera() -> Iterator[NetworkCamera]:
    """Give a camera that shows the sample over and over."""
    with av.open(str(SAMPLE)) as film:
        frames = [frame.to_ndarray(format="bgr24").astype(np.uint8) for frame in film.decode(video=0)][::3]
    camera = NetworkCamera(lambda number: frames[number // 5 % len(frames)])
    try:
        yield camera
    finally:
        camera.close()


@contextmanager
def talkative_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """Give a room where somebody says a few words, takes a breath, and says them again."""
    try:
        room = Room(folder, monkeypatch.setenv)
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(f"NOT TESTED on a real microphone: {error}")
    words = said()[8_000:48_000]
    player = room.play(np.concatenate([words, _BREATH] * 30))
    try:
        yield room
    finally:
        player.kill()
        player.wait()
        room.close()


def cut_film(path: Path, seconds: float) -> None:
    """Write the first seconds of the sample, sound and pictures, to a file whose suffix says its kind."""
    with av.open(str(SAMPLE)) as film, av.open(str(path), "w") as short:
        streams = {
            stream.index: short.add_stream_from_template(stream)
            for stream in (*film.streams.video, *film.streams.audio)
        }
        for packet in film.demux():
            if packet.dts is not None and float(packet.dts * packet.time_base) < seconds:
                packet.stream = streams[packet.stream.index]
                short.mux(packet)


def keep(terminal: Terminal, name: str) -> None:
    """Keep what a terminal showed, as it was drawn, and print its last words."""
    folder = Path("build/recordings")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ansi").write_bytes(terminal.raw)
    print(f"\n{terminal.shown[-3000:]}")  # noqa: T201
