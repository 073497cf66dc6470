"""Run the face worker: ``python -m services.face``; settings come from the environment (see its README)."""

import sys

from services.face.worker import load_worker
from shared.emotions import Modality
from shared.service import run_worker

if __name__ == "__main__":
    sys.exit(run_worker(Modality.FACE, load_worker))
