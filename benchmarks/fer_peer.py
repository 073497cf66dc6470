"""The package ``fer`` on the same pictures: run by the Python of its own environment, which holds nothing of Mien."""

import json
import os
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from fer.fer import FER  # type: ignore[import-not-found]  # lies in its own environment


def main(folder: str) -> None:
    """Print the median CPU time of a frame, from JPEG bytes to its emotions, on one core, milliseconds."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    frames = [np.frombuffer(path.read_bytes(), dtype=np.uint8) for path in sorted(Path(folder).glob("*.jpg"))]
    detector = FER()
    times, found = [], 0
    for frame in frames:
        begun = time.process_time()
        found += bool(detector.detect_emotions(cv2.imdecode(frame, cv2.IMREAD_COLOR)))
        times.append(time.process_time() - begun)
    print(json.dumps({"frame_ms": 1e3 * statistics.median(times), "found_share": found / len(frames)}))


if __name__ == "__main__":
    main(sys.argv[1])
