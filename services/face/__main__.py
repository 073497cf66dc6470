"""Run the face worker: ``python -m services.face``; settings come from the environment (see its README)."""

import sys

from services.face.worker import load_scorer, read
from shared.service import run_worker

if __name__ == "__main__":
    sys.exit(run_worker(load_scorer, read))
