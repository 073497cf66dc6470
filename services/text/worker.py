"""The text worker: messages in, scores out."""

from services.text.model import TextModel
from services.text.scorer import TextScorer
from services.text.settings import TextSettings
from services.text.transcriber import Transcriber
from shared.broker.port import Broker
from shared.media.flac import read_speech
from shared.messages.message import Message
from shared.messages.typed import TypedText
from shared.runtime.whisper import load_whisper
from shared.scoring import SpeechWindow, TypedWindow
from shared.worker import Chunk, Worker


def load_scorer(settings: TextSettings | None = None) -> TextScorer:
    """Load both models and return the scorer that uses them.

    Args:
        settings: Which models; None reads the environment.

    Raises:
        WeightsError: If a model is missing or altered.
    """
    settings = settings or TextSettings()
    model = TextModel(settings.weights, threads=settings.threads)
    transcriber = Transcriber(load_whisper(settings.asr_model, settings.threads))
    return TextScorer(transcriber, model, evidence=settings.evidence)


def load_worker(broker: Broker, batch_size: int = 8) -> Worker[SpeechWindow | TypedWindow]:
    """Load and warm the scorer, and return a worker that judges what its queue brings; it is not started yet.

    Args:
        broker: Where messages come from and scores go.
        batch_size: Most messages judged together.

    Raises:
        WeightsError: As :func:`load_scorer` does.
    """
    scorer = load_scorer()
    scorer.warm_up()
    return Worker(broker, scorer, read_words, batch_size=batch_size)


def read_words(message: Message) -> tuple[Chunk, SpeechWindow | TypedWindow]:
    """Check a speech chunk or a typed text and decode it.

    Raises:
        UndecodableMessageError: If it is neither, or does not decode.
    """
    if message.type != TypedText.TYPE:
        return read_speech(message)
    typed = TypedText.from_message(message)
    return typed, TypedWindow(session_id=typed.session_id, text=typed.text)
