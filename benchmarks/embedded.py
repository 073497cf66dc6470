"""One embedded process, measured from inside; ``benchmarks.bench`` runs it in a fresh process and reads its JSON."""

import json
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.capture.sources.file import FileSource
from services.embedded import Embedded
from shared.emotions import MODALITIES
from shared.sessions import new_session

REPEATS: Final = 5
KB: Final = 1024


def main(recording: str) -> None:
    """Analyse a recording several times in one process and print what it took."""
    started = time.perf_counter()
    with Embedded() as mien:
        ready_s = time.perf_counter() - started
        duration = FileSource(Path(recording)).duration_s or 0.0
        seconds = [_analyse(mien, Path(recording)) for _ in range(REPEATS)]
    figures = {
        "ready_s": ready_s,
        "duration_s": duration,
        "share_of_duration": statistics.median(seconds) / duration,
        "last_against_first": _trend(seconds),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KB / 1e6,
        "imports_tensorflow": float("tensorflow" in sys.modules),
    }
    sys.stdout.write(json.dumps(figures))


def _analyse(mien: Embedded, recording: Path) -> float:
    begun = time.perf_counter()
    session, _ = new_session(MODALITIES)
    mien.play(FileSource(recording), session)
    mien.result(session.session_id)
    return time.perf_counter() - begun


def _trend(seconds: Sequence[float]) -> float:
    """Return the median of the last two runs over that of the first two: work that piles up shows as more than one."""
    return statistics.median(seconds[-2:]) / statistics.median(seconds[:2])


if __name__ == "__main__":
    main(sys.argv[1])
