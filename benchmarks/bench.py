"""Speed and memory: ``make bench``. Every figure is a median of repeats, or a ratio taken in one run."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.api import measure_api
from benchmarks.audio import AUDIO, measure_audio
from benchmarks.capture import CAPTURE, measure_capture
from benchmarks.dashboard import DASHBOARD, measure_dashboard
from benchmarks.face import FACE, measure_face
from benchmarks.figures import Target, measure, print_rows, write_rows
from benchmarks.growth import measure_growth
from benchmarks.scale.figures import SCALE, measure_scale
from benchmarks.text import TEXT, measure_speed

OUTPUT: Final = Path(__file__).parent / "bench.json"
AREAS: Final = ("system", "api", "dashboard", "capture", "audio", "face", "text", "scale")
SAMPLE: Final = Path("services/capture/sample/sample.mp4")

_SAMPLE_DATA: Final = "the sample recording, three modalities, two cores"
_HOURS_DATA: Final = "a session of 10 h at 5 frames a second, in memory"
_LOAD_DATA: Final = "one process, 50 sessions at 5 scores a second, 200 SSE clients, 100 results a second asked"

TARGETS: Final = (
    Target(
        area="system",
        key="share_of_duration",
        figure="analysing, share of the recording's length",
        data=_SAMPLE_DATA,
        better="lower",
        must=0.5,
    ),
    Target(area="system", key="ready_s", figure="start, models warm", unit="s", data=_SAMPLE_DATA, better="lower"),
    Target(
        area="system",
        key="peak_mb",
        figure="peak memory of the process",
        unit="MB",
        data=_SAMPLE_DATA,
        better="lower",
        must=900,
    ),
    Target(
        area="system",
        key="imports_tensorflow",
        figure="TensorFlow imported (1: yes)",
        data=_SAMPLE_DATA,
        better="lower",
        must=0,
    ),
    Target(
        area="system",
        key="last_against_first",
        figure="time of the last analyses over the first",
        data=_SAMPLE_DATA,
        better="lower",
        must=1.25,
    ),
    Target(
        area="system",
        key="score_cost_growth",
        figure="cost of a score, hour 10 over minute 1",
        data=_HOURS_DATA,
        better="lower",
        must=1.25,
    ),
    Target(
        area="system",
        key="reading_cost_growth",
        figure="cost of a result, hour 10 over minute 1",
        data=_HOURS_DATA,
        better="lower",
        must=1.25,
    ),
    Target(area="api", key="p50_ms", figure="a result, median", unit="ms", data=_LOAD_DATA, better="lower"),
    Target(
        area="api",
        key="p95_ms",
        figure="a result, 95th percentile",
        unit="ms",
        data=_LOAD_DATA,
        better="lower",
        must=100,
    ),
    Target(area="api", key="events_per_s", figure="events that each client is told a second", data=_LOAD_DATA),
    *DASHBOARD,
    *CAPTURE,
    *AUDIO,
    *FACE,
    *TEXT,
    *SCALE,
)


def main() -> int:
    """Measure, print the table, write the file, and return 1 where a figure does not reach what it must."""
    options = _options()
    rows = measure(
        TARGETS,
        {
            "system": _system,
            "api": measure_api,
            "dashboard": measure_dashboard,
            "capture": measure_capture,
            "audio": measure_audio,
            "face": measure_face,
            "text": partial(measure_speed, options.data),
            "scale": partial(measure_scale, options.data),
        },
        "bench",
        options.area,
    )
    print_rows(rows, "Speed and memory")
    write_rows(rows, OUTPUT)
    return 0 if all(row.reaches(row.target.must) for row in rows) else 1


def _system() -> Mapping[str, float]:
    command = [sys.executable, "-m", "benchmarks.embedded", str(SAMPLE)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    embedded: dict[str, Any] = json.loads(done.stdout)
    return {**embedded, **measure_growth()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data folder (%(default)s)")
    parser.add_argument("--area", choices=AREAS, help="measure this area only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
