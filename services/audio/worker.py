"""The audio worker: messages in, scores out."""

from services.audio.model import ENCODER_LAYERS, AudioModel
from services.audio.scorer import AudioScorer
from services.audio.settings import AudioSettings
from shared.broker.port import Broker
from shared.media.flac import read_speech
from shared.runtime.compiled import compile_librosa
from shared.runtime.whisper_encoder import load_encoder
from shared.scoring import SpeechWindow
from shared.worker import Worker


def load_scorer(settings: AudioSettings | None = None) -> AudioScorer:
    """Load the weights and return the scorer that uses them.

    Args:
        settings: Where the weights are; None reads the environment.

    Raises:
        WeightsError: If the weights or the speech model are missing or altered.
        MienError: If another process has been compiling for minutes what this one needs.
    """
    settings = settings or AudioSettings()
    compile_librosa()
    encoder = load_encoder(ENCODER_LAYERS, settings.threads)
    return AudioScorer(AudioModel(settings.weights, encoder, settings.threads))


def load_worker(broker: Broker, batch_size: int = 8) -> Worker[SpeechWindow]:
    """Load and warm the scorer, and return a worker that judges what its queue brings; it is not started yet.

    Args:
        broker: Where messages come from and scores go.
        batch_size: Most messages judged together.

    Raises:
        WeightsError: As :func:`load_scorer` does.
    """
    scorer = load_scorer()
    scorer.warm_up()
    return Worker(broker, scorer, read_speech, batch_size=batch_size)
