"""One live session, measured from inside; ``benchmarks.capture`` runs it in a fresh process and reads its JSON."""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Final

from services.capture.agent import Agent
from services.capture.devices import open_live
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import MODALITIES
from shared.sessions import new_session

SECONDS: Final = 30.0
FRAMES_PER_SECOND: Final = 5.0
HEAVY: Final = ("tensorflow", "keras", "torch", "faster_whisper", "ctranslate2", "ai_edge_litert")
KB: Final = 1024


def main(broker_url: str, microphone: str, camera_url: str) -> None:
    """Run the agent for half a minute and print what it took."""
    started, _ = new_session(MODALITIES)
    broker = RabbitMqBroker(broker_url)
    agent = Agent(broker, started, live=True)
    source = open_live(microphone=microphone, camera=camera_url, frames_per_second=FRAMES_PER_SECOND)
    running = threading.Thread(target=agent.run, args=(source,))
    running.start()
    begun, used = time.monotonic(), time.process_time()
    running.join(SECONDS)
    share = (time.process_time() - used) / (time.monotonic() - begun)
    agent.stop()
    running.join()
    broker.close()
    status = agent.status()
    figures = {
        "cpu_share": share,
        "peak_mb": _peak_mb(),
        "imports_heavy": float(any(name in sys.modules for name in HEAVY)),
        "frames_per_s": status.frames.sent / SECONDS,
        "utterances": float(status.speech.sent),
    }
    sys.stdout.write(json.dumps(figures))


def _peak_mb() -> float:
    """Return this program's peak; what ``getrusage`` says begins with that of whoever started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * KB / 1e6 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(*sys.argv[1:])
