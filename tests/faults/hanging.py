"""A face worker whose model hangs as soon as it is given something to judge: ``python -m tests.faults.hanging``."""

import sys
import threading
from collections.abc import Sequence

from services.face.worker import load_scorer
from shared.broker.port import Broker
from shared.emotions import Modality
from shared.media.jpeg import read_frame
from shared.messages import Judgement, ModelRef
from shared.scoring import FrameWindow
from shared.service import run_worker
from shared.worker import Worker


class HangingScorer:
    """The face scorer, but for what it is here to do."""

    modality = Modality.FACE

    def __init__(self) -> None:
        self._scorer = load_scorer()

    @property
    def model(self) -> ModelRef:
        return self._scorer.model

    def warm_up(self) -> None:
        self._scorer.warm_up()

    def score(self, windows: Sequence[FrameWindow]) -> list[Judgement]:
        threading.Event().wait()
        return self._scorer.score(windows)


def load_worker(broker: Broker, batch_size: int) -> Worker[FrameWindow]:
    return Worker(broker, HangingScorer(), read_frame, batch_size=batch_size)


if __name__ == "__main__":
    sys.exit(run_worker(Modality.FACE, load_worker))
