"""What the agent itself takes, from a real microphone and camera to a real broker, in a process of its own."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Target
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock, VideoFrame
from shared.broker.rabbitmq import RabbitMqBroker
from shared.topology import TOPOLOGY
from tests import camera, servers, sound

SAMPLE: Final = Path("services/capture/sample/sample.mp4")

_LIVE: Final = "30 s of speech and pictures at 5 frames a second, real microphone, camera and broker"

CAPTURE: Final = (
    Target(
        area="capture",
        key="cpu_share",
        figure="processor time of the agent, share of one core",
        data=_LIVE,
        better="lower",
        must=0.15,
    ),
    Target(
        area="capture",
        key="peak_mb",
        figure="peak memory of the agent",
        unit="MB",
        data=_LIVE,
        better="lower",
        must=200,
    ),
    Target(
        area="capture",
        key="imports_heavy",
        figure="TensorFlow, Torch, Whisper or LiteRT imported (1: yes)",
        data=_LIVE,
        better="lower",
        must=0,
    ),
    Target(area="capture", key="frames_per_s", figure="frames sent a second", data=_LIVE, must=4.5),
    Target(area="capture", key="utterances", figure="utterances sent", data=_LIVE, must=4),
)


def measure_capture() -> dict[str, float]:
    """Return what a live session costs its process: share of one core, peak memory, and what it imports.

    Raises:
        NoServerError: If RabbitMQ or PulseAudio is not installed.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.rabbitmq() as rabbitmq,
        _camera() as camera_url,
        _room(Path(folder)) as room,
    ):
        broker = RabbitMqBroker(rabbitmq.url)
        broker.declare(TOPOLOGY)
        broker.close()
        speech = np.tile(_speech(), 3)
        playing = room.play(speech)
        command = [sys.executable, "-m", "benchmarks.capture_agent", rabbitmq.url, sound.MICROPHONE, camera_url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        playing.kill()
        playing.wait()
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@contextmanager
def _room(folder: Path) -> Iterator[sound.Room]:
    usual = dict(os.environ)
    room = sound.Room(folder, os.environ.__setitem__)
    try:
        yield room
    finally:
        room.close()
        os.environ.clear()
        os.environ.update(usual)


@contextmanager
def _camera() -> Iterator[str]:
    """Give the URL of a camera in another process, so that its work is not counted."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_show, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _show(connection: Any) -> None:  # noqa: ANN401  (multiprocessing's own)
    """Show the portrait of the sample recording, which sways a little."""
    frame = next(item for item in FileSource(SAMPLE, audio=False) if isinstance(item, VideoFrame))
    portrait = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), dtype=np.uint8)
    looks: list[NDArray[np.uint8]] = [np.roll(portrait, shift, axis=1) for shift in (0, 4, 8, 12, 16, 10, 6)]
    eye = camera.NetworkCamera(lambda number: looks[number % len(looks)])
    connection.send(eye.url)
    with suppress(EOFError):
        connection.recv()


def _speech() -> NDArray[np.float32]:
    blocks = [item.samples for item in FileSource(SAMPLE, video=False) if isinstance(item, AudioBlock)]
    return np.concatenate(blocks)
