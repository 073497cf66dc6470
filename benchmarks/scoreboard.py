"""Accuracy of what is served, beside peers and people: ``make scoreboard``."""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.figures import Evaluation, measure, print_rows, write_rows
from benchmarks.targets import SCOREBOARD

OUTPUT: Final = Path(__file__).parent / "scoreboard.json"
AREAS: Final = ("text", "audio", "face", "fusion")


def main() -> int:
    """Measure, print the table, write the file, and return 1 where a figure does not reach what it must."""
    options = _options()
    if not options.data.is_dir():
        sys.stderr.write(f"There is no data in {options.data}: name the folder of the test sets with --data.\n")
        return 2
    rows = measure(SCOREBOARD, _evaluations(options.data), "scoreboard", options.area)
    print_rows(rows, "Accuracy of what is served")
    write_rows(rows, OUTPUT)
    return 0 if all(row.reaches(row.target.must) for row in rows) else 1


def _evaluations(data: Path) -> Mapping[str, Evaluation]:
    from benchmarks.text_accuracy import measure_accuracy
    from services.audio.training import evaluate as audio
    from services.face.training import evaluate as face
    from services.fusion.training import evaluate as fusion

    return {
        "text": partial(measure_accuracy, data),
        "audio": partial(audio.evaluate, data),
        "face": partial(face.evaluate, data),
        "fusion": partial(fusion.evaluate, data),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data folder (%(default)s)")
    parser.add_argument("--area", choices=AREAS, help="measure this area only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
