"""What the tests of the worker share: a scorer that judges loudness, chunks of a level, and what comes of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from queue import SimpleQueue

import numpy as np

from shared.broker.port import Broker, Delivery
from shared.emotions import EMOTIONS, Modality
from shared.media.flac import encode_flac
from shared.messages import AudioDetails, Judgement, Message, ModalityScore, ModelRef, SpeechChunk, Status
from shared.scoring import SpeechWindow
from shared.topology import MEDIA_EXCHANGE

PATIENCE_S = 10


class LoudnessScorer:
    """The louder, the better the mood; silence breaks it, as a bug would."""

    modality = Modality.AUDIO
    model = ModelRef(name="loudness", version="1")

    def __init__(self) -> None:
        self.batches: list[int] = []

    def warm_up(self) -> None:
        """Nothing is slow the first time."""

    def score(self, windows: Sequence[SpeechWindow]) -> list[Judgement]:
        self.batches.append(len(windows))
        return [self._judge(window) for window in windows]

    def _judge(self, window: SpeechWindow) -> Judgement:
        loudness = float(np.abs(window.samples).max())
        if loudness == 0:
            raise ZeroDivisionError("silence")
        even = dict.fromkeys(EMOTIONS, 1 / 7)
        mood = 1 + 4 * min(1.0, loudness)
        return Judgement(status=Status.SCORED, mood=mood, distribution=even, details=AudioDetails())


def chunk(seq: int, level: float = 0.5, session: str = "session-0001") -> SpeechChunk:
    media = encode_flac(np.full(1600, level, dtype=np.float32))
    return SpeechChunk(
        session_id=session, seq=seq, start_s=seq, end_s=seq + 0.1, captured_at=datetime.now(UTC), media=media
    )


def publish(broker: Broker, message: Message) -> None:
    broker.publish(MEDIA_EXCHANGE, "speech.audio", message).result(PATIENCE_S)


def collect(broker: Broker, queue: str) -> "SimpleQueue[Delivery]":
    arrived: SimpleQueue[Delivery] = SimpleQueue()
    broker.consume(queue, arrived.put, prefetch=1000)
    return arrived


def scores_of(arrived: "SimpleQueue[Delivery]", count: int) -> dict[int, ModalityScore]:
    scores = [ModalityScore.from_message(arrived.get(timeout=PATIENCE_S).message) for _ in range(count)]
    return {score.seq: score for score in scores}
