"""Run the text worker: ``python -m services.text``; settings come from the environment (see its README)."""

import sys

from services.text.worker import load_worker
from shared.emotions import Modality
from shared.service import run_worker

if __name__ == "__main__":
    sys.exit(run_worker(Modality.TEXT, load_worker))
