"""Run the audio worker: ``python -m services.audio``; settings come from the environment (see its README)."""

import sys

from services.audio.worker import load_scorer, read
from shared.service import run_worker

if __name__ == "__main__":
    sys.exit(run_worker(load_scorer, read))
