"""Where the processor time goes while sessions run: models, codecs, broker and store, or our own code."""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Final

from benchmarks.scale.live import play
from benchmarks.scale.material import Material
from benchmarks.scale.system import all_services, started

SESSIONS: Final = 8
_RATE_HZ: Final = 100
_SAMPLED_S: Final = 40
_PY_SPY: Final = Path(sys.executable).with_name("py-spy")

_KINDS: Final = (
    ("model", ("shared/runtime/", "ai_edge_litert/", "ctranslate2/", "faster_whisper/", "librosa/", "tokenizers/")),
    ("codec", ("shared/media/", "cv2/", "av/", "soundfile")),
    ("broker and store", ("pika/", "redis/")),
    ("own", ("services/", "shared/")),
)
"""What a stack is charged to: the innermost of these, so that NumPy and pydantic are charged to who calls them."""


def measure_own_code(material: Material) -> dict[str, float]:
    """Return our own code's share of all processor time of the services, RabbitMQ and Redis, while sessions run.

    Python stacks are sampled by py-spy; what threads without Python do (models, RabbitMQ, Redis) is in the whole.
    """
    settings = {"TEXT_THREADS": "1", "AUDIO_THREADS": "1", "FACE_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with started() as system, all_services(system, settings):
        playing = Thread(target=play, args=(system, material, SESSIONS))
        playing.start()
        before = sum(system.used_s().values())
        charged = _sample([process.pid for process in system.processes.values()])
        whole_s = sum(system.used_s().values()) - before
        playing.join()
    return {f"share_{kind.replace(' ', '_')}": seconds / whole_s for kind, seconds in charged.items()}


def _sample(pids: Sequence[int]) -> dict[str, float]:
    """Return the seconds of Python charged to each kind, over all processes."""
    charged: Counter[str] = Counter({kind: 0 for kind, _ in _KINDS})
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        outputs = [Path(folder) / f"{pid}.raw" for pid in pids]
        samplers = [stack.enter_context(_sampler(pid, output)) for pid, output in zip(pids, outputs, strict=True)]
        for sampler in samplers:
            if sampler.wait() != 0:
                raise RuntimeError("py-spy may not look at the services; run as root, or allow ptrace")
        for output in outputs:
            for kind, count in _charges(output.read_text()):
                charged[kind] += count
    return {kind: count / _RATE_HZ for kind, count in charged.items()}


def _sampler(pid: int, output: Path) -> "subprocess.Popen[bytes]":
    command = [str(_PY_SPY), "record", "--pid", str(pid), "--duration", str(_SAMPLED_S), "--rate", str(_RATE_HZ)]
    command += ["--format", "raw", "--full-filenames", "--nonblocking", "--output", str(output)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _charges(raw: str) -> Iterator[tuple[str, int]]:
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        for frame in reversed(stack.split(";")):
            kind = next((kind for kind, places in _KINDS if any(place in frame for place in places)), None)
            if kind is not None:
                yield kind, int(count)
                break
