"""Where the processor time of live sessions goes: models, their features, codecs, broker and store, or our own code."""

import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Final

import psutil

from benchmarks.scale.live import play
from benchmarks.scale.material import Material
from benchmarks.scale.system import all_services, started

SESSIONS: Final = 24
_RATE_HZ: Final = 100
_SAMPLED_S: Final = 40
_PY_SPY: Final = Path(sys.executable).with_name("py-spy")
_THREAD: Final = re.compile(r"thread \((\d+)\)")

_KINDS: Final = (
    ("model", ("shared/runtime/", "ai_edge_litert/", "ctranslate2/", "faster_whisper/", "librosa/", "tokenizers/")),
    ("codec", ("shared/media/", "cv2/", "av/", "soundfile")),
    ("features", ("/features.py", "services/face/detector.py", "services/face/anchors.py")),
    ("broker and store", ("pika/", "redis/")),
    ("own", ("services/", "shared/")),
)
"""What a stack is charged to: the innermost of these, so that NumPy and pydantic are charged to who calls them.

Features are what the models read and what is made of their output: pitch, scaled pictures, boxes of faces.
"""

Kinds = Counter[str]


def measure_own_code(material: Material) -> dict[str, float]:
    """Return our own code's share of all processor time of the services, RabbitMQ and Redis, while sessions run.

    A thread's processor time, as the kernel counts it, is divided among the kinds as py-spy's samples of its stack are:
    a sample alone does not tell whether a thread computes or waits for a processor. Threads without Python (models,
    RabbitMQ, Redis) are in the whole.
    """
    with started() as system, all_services(system):
        playing = Thread(target=play, args=(system, material, SESSIONS))
        playing.start()
        pids = [process.pid for process in system.processes.values()]
        whole_s, begun_s = sum(system.used_s().values()), _used_s(pids)
        sampled = _sample(pids)
        whole_s, used_s = sum(system.used_s().values()) - whole_s, _used_s(pids)
        playing.join()
    charged: dict[str, float] = dict.fromkeys((kind for kind, _ in _KINDS), 0.0)
    for thread, kinds in sampled.items():
        thread_s = used_s.get(thread, 0.0) - begun_s.get(thread, 0.0)
        for kind in charged:
            charged[kind] += thread_s * kinds[kind] / kinds.total()
    return {f"share_{kind.replace(' ', '_')}": seconds / whole_s for kind, seconds in charged.items()}


def _used_s(pids: Sequence[int]) -> dict[int, float]:
    """Return the processor seconds that each thread has used so far."""
    threads = (thread for pid in pids for thread in psutil.Process(pid).threads())
    return {thread.id: thread.user_time + thread.system_time for thread in threads}


def _sample(pids: Sequence[int]) -> dict[int, Kinds]:
    """Return how many samples of each thread are charged to each kind."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        outputs = [Path(folder) / f"{pid}.raw" for pid in pids]
        samplers = [stack.enter_context(_sampler(pid, output)) for pid, output in zip(pids, outputs, strict=True)]
        for sampler in samplers:
            if sampler.wait() != 0:
                raise RuntimeError("py-spy may not look at the services; run as root, or allow ptrace")
        return _charges(line for output in outputs for line in output.read_text().splitlines())


def _sampler(pid: int, output: Path) -> "subprocess.Popen[bytes]":
    command = [str(_PY_SPY), "record", "--pid", str(pid), "--duration", str(_SAMPLED_S), "--rate", str(_RATE_HZ)]
    command += ["--format", "raw", "--full-filenames", "--threads", "--nonblocking", "--output", str(output)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _charges(lines: Iterable[str]) -> dict[int, Kinds]:
    charged: dict[int, Kinds] = defaultdict(Counter)
    for line in lines:
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        named = _THREAD.match(thread)
        if named is not None:
            charged[int(named[1])][_kind_of(frames)] += int(count)
    return charged


def _kind_of(frames: Sequence[str]) -> str:
    for frame in reversed(frames):
        for kind, places in _KINDS:
            if any(place in frame for place in places):
                return kind
    return "other"
