"""The face worker: frames in, scores out."""

from typing import Final

from services.face.model import FaceModel
from services.face.scorer import FaceScorer
from services.face.settings import FaceSettings
from shared.broker.port import Broker
from shared.media.jpeg import read_frame
from shared.scoring import FrameWindow
from shared.worker import Worker

LINGER_S: Final = 0.03
"""Frames of many people come all the time: to judge, publish and settle some together costs the broker far less."""


def load_scorer(settings: FaceSettings | None = None) -> FaceScorer:
    """Return a scorer with its models loaded.

    Raises:
        WeightsError: If weights are missing or altered.
    """
    settings = settings or FaceSettings()
    return FaceScorer(FaceModel(settings.weights, settings.threads))


def load_worker(broker: Broker, batch_size: int = 8) -> Worker[FrameWindow]:
    """Load and warm the scorer, and return a worker that judges what its queue brings; it is not started yet.

    Args:
        broker: Where messages come from and scores go.
        batch_size: Most messages judged together.

    Raises:
        WeightsError: As :func:`load_scorer` does.
    """
    scorer = load_scorer()
    scorer.warm_up()
    return Worker(broker, scorer, read_frame, batch_size=batch_size, linger_s=LINGER_S)
