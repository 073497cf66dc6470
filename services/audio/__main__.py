"""Run the audio worker: ``python -m services.audio``; settings come from the environment (see its README)."""

import sys

from services.audio.worker import load_worker
from shared.emotions import Modality
from shared.service import run_worker

if __name__ == "__main__":
    sys.exit(run_worker(Modality.AUDIO, load_worker))
