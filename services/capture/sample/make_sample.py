"""Make ``sample.mp4``: a portrait that the camera moves over, and three sentences of different mood.

needs: scikit-image, espeak-ng. Neither is a dependency of Mien; the file that they make is kept beside this one.
Run as ``python -m services.capture.sample.make_sample``.
"""

import argparse
import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray

VOICE: Final = "en-us+klatt4"
SOUND_RATE_HZ: Final = 22_050
LENGTH_S: Final = 20.0
FRAME_RATE: Final = 12
SIZE: Final = (480, 360)
PEAK: Final = 0.7
VIEWS: Final = (
    (0.0, 256.0, 192.0, 512.0),
    (0.3, 225.0, 130.0, 300.0),
    (0.65, 235.0, 140.0, 340.0),
    (1.0, 250, 180, 480),
)
"""Where the camera looks: share of the time, centre x and y, and width, in pixels of the portrait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sentence and how it is spoken: when, in seconds; words a minute; pitch, 0..99."""

    at_s: float
    text: str
    speed: int
    pitch: int


LINES: Final = (
    Line(
        at_s=0.8,
        text="I am so happy today! This is the best news I have ever heard, and I love it.",
        speed=155,
        pitch=50,
    ),
    Line(at_s=7.2, text="We have a meeting on Monday, and we will talk about the report.", speed=150, pitch=50),
    Line(
        at_s=12.5,
        text="I feel so sad and lonely. My best friend is gone, and I cannot stop crying.",
        speed=135,
        pitch=40,
    ),
)


def make_sample(path: Path) -> None:
    """Write the sample as H.264 and AAC.

    Raises:
        RuntimeError: If espeak-ng is not installed.
    """
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        pictures = container.add_stream("libx264", rate=FRAME_RATE, options={"crf": "27", "preset": "slow"})
        pictures.width, pictures.height = SIZE
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_RATE_HZ, layout="mono")
        sound.bit_rate = 48_000
        for image in _images():
            container.mux(pictures.encode(image))
        container.mux(pictures.encode(None))
        for block in _blocks(_speech()):
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))


def _speech() -> NDArray[np.float32]:
    """Return all lines at their times, float32 of shape (n,), at ``SOUND_RATE_HZ``."""
    mixed = np.zeros(round(LENGTH_S * SOUND_RATE_HZ), dtype=np.float32)
    for line in LINES:
        spoken = _say(line)
        start = round(line.at_s * SOUND_RATE_HZ)
        mixed[start : start + len(spoken)] = spoken * (PEAK / np.abs(spoken).max())
    return mixed


def _say(line: Line) -> NDArray[np.float32]:
    program = shutil.which("espeak-ng")
    if program is None:
        raise RuntimeError("espeak-ng is not installed; install the package of that name.")
    command = [program, "-v", VOICE, "-s", str(line.speed), "-p", str(line.pitch), "--stdout", line.text]
    wav = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - all arguments are ours
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    if rate != SOUND_RATE_HZ:
        raise RuntimeError(f"espeak-ng speaks at {rate} Hz instead of {SOUND_RATE_HZ} Hz.")
    return np.asarray(samples, dtype=np.float32)


def _blocks(samples: NDArray[np.float32]) -> Iterator[av.AudioFrame]:
    size = 1024
    for start in range(0, len(samples), size):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + size], format="fltp", layout="mono")
        frame.sample_rate = SOUND_RATE_HZ
        frame.time_base = Fraction(1, SOUND_RATE_HZ)
        frame.pts = start
        yield frame


def _images() -> Iterator[av.VideoFrame]:
    from skimage.data import astronaut  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    portrait = astronaut()
    shares, *views = np.array(VIEWS).T
    count = round(LENGTH_S * FRAME_RATE)
    for number in range(count):
        centre_x, centre_y, width = (np.interp(number / (count - 1), shares, values) for values in views)
        zoom = SIZE[0] / width
        move = np.array([[zoom, 0, SIZE[0] / 2 - zoom * centre_x], [0, zoom, SIZE[1] / 2 - zoom * centre_y]])
        image = cv2.warpAffine(portrait, move, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(np.asarray(image, dtype=np.uint8), format="rgb24")
        frame.time_base = Fraction(1, FRAME_RATE)
        frame.pts = number
        yield frame


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("sample.mp4"))
    make_sample(parser.parse_args().out)
