"""A face worker whose process a certain picture ends, as native code does: ``python -m tests.faults.poisoned``."""

import os
import signal
import sys
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from shared.broker.port import Broker
from shared.emotions import Modality
from shared.media.jpeg import encode_jpeg, read_frame
from shared.messages import FaceDetails, Judgement, ModelRef, Status
from shared.scoring import FrameWindow
from shared.service import run_worker
from shared.worker import Worker

_SIDE: Final = 40


@cache
def poison() -> bytes:
    """Return the picture as JPEG."""
    return encode_jpeg(np.zeros((_SIDE, _SIDE, 3), dtype=np.uint8))


class PoisonedScorer:
    """Sees no face anywhere, and dies of one picture."""

    modality = Modality.FACE
    model = ModelRef(name="poisoned", version="1")

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def score(self, windows: Sequence[FrameWindow]) -> list[Judgement]:
        if any(window.image.shape[:2] == (_SIDE, _SIDE) for window in windows):
            os.kill(os.getpid(), signal.SIGKILL)
        return [Judgement(status=Status.ABSTAINED, reason="no_face", details=FaceDetails()) for _ in windows]


def load_worker(broker: Broker, batch_size: int) -> Worker[FrameWindow]:
    return Worker(broker, PoisonedScorer(), read_frame, batch_size=batch_size)


if __name__ == "__main__":
    sys.exit(run_worker(Modality.FACE, load_worker))
