"""Speed and memory of the face, on one core: measured in a fresh process, beside the package ``fer`` in its own.

``python -m benchmarks.face --frames 100000`` is the long form of the memory figures.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Target
from benchmarks.memory import measure_memory
from services.capture.sources.file import FileSource
from services.capture.sources.port import VideoFrame
from services.face.features import CROP_SIDE
from services.face.model import MODEL_FILE, FaceModel
from services.face.scorer import FaceScorer
from services.face.settings import FaceSettings
from services.face.worker import load_scorer
from shared.media.jpeg import decode_jpeg, encode_jpeg
from shared.scoring import FrameWindow

SAMPLE: Final = Path("services/capture/sample/sample.mp4")
FER_ENVIRONMENT: Final = Path(".work/fer")
FER_PACKAGES: Final = (
    "opencv-contrib-python-headless<5",  # the last with Haar cascades
    "pandas",
    "pillow",
    "requests",
    "setuptools<81",  # the last with pkg_resources
    "tensorflow-cpu",
    "tqdm",
)
"""What ``fer`` imports with its default detector; facenet-pytorch and moviepy are for other uses of it."""

FER: Final = "fer==25.10.3"

_BATCH: Final = 8
_REPEATS: Final = 40
_SHAPE: Final = (480, 640)
_DATA: Final = "faces of the sample recording, 640x480 JPEG, one core, CPU time"

FACE: Final = (
    Target(area="face", key="frame_ms", figure="a frame alone", unit="ms", data=_DATA, better="lower", must=8),
    Target(area="face", key="batch_ms", figure="a frame of eight", unit="ms", data=_DATA, better="lower", must=5),
    Target(area="face", key="frames_per_s", figure="frames in batches of eight", unit="1/s", data=_DATA),
    Target(
        area="face",
        key="fer_ms",
        figure="a frame, fer 25.10",
        unit="ms",
        data=_DATA,
        better="lower",
        optional=True,
    ),
    Target(area="face", key="times_fer", figure="frames a second, over fer's", data=_DATA, must=10, optional=True),
    Target(
        area="face",
        key="one_face_ms",
        figure="expression of one face",
        unit="ms",
        data=_DATA,
        better="lower",
        must=3,
        aim=1,
    ),
    Target(
        area="face",
        key="eight_faces_ms",
        figure="expressions of eight faces",
        unit="ms",
        data=_DATA,
        better="lower",
        must=15,
        aim=6,
    ),
    Target(
        area="face", key="model_mb", figure="expression model", unit="MB", data=_DATA, better="lower", must=4, aim=1.5
    ),
    Target(area="face", key="memory_mb", figure="memory, peak", unit="MB", data=_DATA, better="lower", must=300),
    Target(
        area="face",
        key="memory_growth_mb",
        figure="memory, last frames over first",
        unit="MB",
        data=f"{_DATA}, 4,000 frames",
        better="lower",
        must=5,
    ),
)


def measure_face() -> Mapping[str, float]:
    """Return the figures of ours and, where ``fer`` can be installed, of ``fer`` on the same pictures."""
    with TemporaryDirectory() as folder:
        for index, frame in enumerate(_frames()):
            (Path(folder) / f"{index:03}.jpg").write_bytes(frame)
        ours = _run([sys.executable, "-m", "benchmarks.face"])
        python = _fer_python()
        if python is None:
            return ours
        fer_ms = _run([str(python), str(Path(__file__).parent / "fer_peer.py"), folder])["frame_ms"]
    return {**ours, "fer_ms": fer_ms, "times_fer": fer_ms / ours["batch_ms"]}


def _run(command: Sequence[str]) -> dict[str, float]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _fer_python() -> Path | None:
    """Return the Python of an environment with ``fer``, made here where there is none, or None where it cannot be."""
    python = FER_ENVIRONMENT / "bin" / "python"
    ready = FER_ENVIRONMENT / ".ready"
    if not ready.is_file():
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            subprocess.run([sys.executable, "-m", "venv", str(FER_ENVIRONMENT)], check=True)
            subprocess.run([*install, *FER_PACKAGES], check=True)
            subprocess.run([*install, "--no-deps", FER], check=True)
        except subprocess.CalledProcessError:
            sys.stderr.write(f"{FER} cannot be installed in {FER_ENVIRONMENT}; its figures are left out.\n")
            return None
        ready.touch()
    return python


def _frames() -> list[bytes]:
    images = [item.image for item in FileSource(SAMPLE) if isinstance(item, VideoFrame)]
    return [encode_jpeg(_fitted(image)) for image in images]


def _fitted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, _SHAPE[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _cpu_ms(work: Callable[[], Any], repeats: int) -> float:
    """Return the median CPU time of a call, milliseconds."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return 1e3 * statistics.median(times)


def _windows(frames: Sequence[bytes], at: int, count: int) -> list[FrameWindow]:
    """Decode some frames, each of another session, beginning anywhere and starting over at the end."""
    chosen = [frames[(at + step) % len(frames)] for step in range(count)]
    return [
        FrameWindow(session_id=str(index), at_s=float(at), image=decode_jpeg(frame))
        for index, frame in enumerate(chosen)
    ]


def _speed(frames: Sequence[bytes], scorer: FaceScorer) -> dict[str, float]:
    settings = FaceSettings()
    model = FaceModel(settings.weights)
    crops = np.random.default_rng(0).integers(0, 256, (_BATCH, CROP_SIDE, CROP_SIDE), dtype=np.uint8)
    batch_ms = _cpu_ms(lambda: scorer.score(_windows(frames, 0, _BATCH)), _REPEATS) / _BATCH
    return {
        "frame_ms": _cpu_ms(lambda: scorer.score(_windows(frames, 0, 1)), 2 * _REPEATS),
        "batch_ms": batch_ms,
        "frames_per_s": 1e3 / batch_ms,
        "one_face_ms": _cpu_ms(lambda: model.predict(crops[:1]), 2 * _REPEATS),
        "eight_faces_ms": _cpu_ms(lambda: model.predict(crops), _REPEATS),
        "model_mb": (settings.weights / MODEL_FILE).stat().st_size / 1e6,
    }


def main() -> None:
    """Measure ours in this process, on one core, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=4000, help="frames of the memory figures (%(default)s)")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    frames, scorer = _frames(), load_scorer()
    # memory first: the second copy of the models, which times the expression alone, is not the worker's
    remembered = measure_memory(
        lambda at: scorer.score(_windows(frames, at * _BATCH, _BATCH)), options.frames // _BATCH
    )
    print(json.dumps({**_speed(frames, scorer), **remembered}))


if __name__ == "__main__":
    main()
