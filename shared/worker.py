"""The one worker that serves every modality: micro-batches in, scores out, acknowledged once the scores are safe."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, Generic, TypeVar

from shared.broker.port import Broker, Delivery, Subscription
from shared.errors import UndecodableMessageError
from shared.messages.details import empty_details
from shared.messages.frame import FrameChunk
from shared.messages.message import Message
from shared.messages.score import Judgement, ModalityScore, Status
from shared.messages.speech import SpeechChunk
from shared.messages.typed import TypedText
from shared.metrics import BATCH_SIZE, COMPUTE, CONFIRMS, QUEUE_WAIT, SCORES
from shared.scoring import Scorer, judge_apart
from shared.topology import MEDIA_QUEUES, SCORES_EXCHANGE
from shared.tracing import Span, begin_span

logger = logging.getLogger(__name__)

WindowT = TypeVar("WindowT")

Chunk = SpeechChunk | FrameChunk | TypedText

_PREFETCHED_BATCHES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work(Generic[WindowT]):
    """One message, opened.

    Attributes:
        delivery: To be settled when its score is safe.
        chunk: What it says of itself.
        window: Its decoded media.
    """

    delivery: Delivery
    chunk: Chunk
    window: WindowT


class Worker(Generic[WindowT]):
    """Consumes one media queue in micro-batches and publishes a score for each message.

    The broker's I/O runs on the broker's thread and the model on this worker's, so that a long inference never
    starves heartbeats. A message is acknowledged only when the broker has confirmed its score: each is scored at least
    once, and fusion counts each once.

    Args:
        broker: Where messages come from and scores go.
        scorer: Judges the windows.
        read: Checks a message against its contract and decodes its media; raises
            :class:`~shared.errors.UndecodableMessageError` where it cannot.
        batch_size: Most messages judged together.
        linger_s: Seconds to wait for a batch to fill once its first message is there.
    """

    def __init__(
        self,
        broker: Broker,
        scorer: Scorer[WindowT],
        read: Callable[[Message], tuple[Chunk, WindowT]],
        *,
        batch_size: int = 8,
        linger_s: float = 0.005,
    ) -> None:
        self._broker = broker
        self._scorer = scorer
        self._read = read
        self._batch_size = batch_size
        self._linger_s = linger_s
        self._inbox: SimpleQueue[Delivery | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=f"{scorer.modality}-model", daemon=True)
        self._subscription: Subscription | None = None
        self._busy_since: float | None = None

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()
        queue = MEDIA_QUEUES[self._scorer.modality]
        self._subscription = self._broker.consume(queue, self._inbox.put, self._batch_size * _PREFETCHED_BATCHES)

    def drain(self) -> None:
        """Take nothing new; what is in hand is still judged."""
        if self._subscription is not None:
            self._subscription.cancel()
        self._inbox.put(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait, at most so many seconds, until a drain is done, and return whether it is."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Drain, and return when nothing is in hand any more."""
        self.drain()
        self.wait()

    @property
    def alive(self) -> bool:
        """Whether the model thread runs."""
        return self._thread.is_alive()

    @property
    def busy_s(self) -> float:
        """Seconds that the batch in hand has taken so far; 0 between batches."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def _run(self) -> None:
        stopping = False
        while not stopping:
            batch, stopping = self._collect()
            self._busy_since = time.monotonic()
            works = [work for delivery in batch if (work := self._open(delivery)) is not None]
            if works:
                self._score(works)
            self._busy_since = None

    def _collect(self) -> tuple[list[Delivery], bool]:
        """Return the next micro-batch, and whether it is the last."""
        batch: list[Delivery] = []
        deadline: float | None = None
        while len(batch) < self._batch_size:
            try:
                timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
                delivery = self._inbox.get(timeout=timeout)
            except Empty:
                break
            if delivery is None:
                return batch, True
            batch.append(delivery)
            deadline = deadline or time.monotonic() + self._linger_s
        return batch, False

    def _open(self, delivery: Delivery) -> _Work[WindowT] | None:
        try:
            chunk, window = self._read(delivery.message)
        except UndecodableMessageError as error:
            message = delivery.message
            logger.warning(
                "message dead-lettered",
                extra={"message_id": message.message_id, "session_id": message.correlation_id, "error": str(error)},
            )
            delivery.reject()
            return None
        except Exception:
            # A decoder has stumbled over something that nobody thought of: that message is lost, and no other.
            logger.exception("message dead-lettered", extra={"message_id": delivery.message.message_id})
            delivery.reject()
            return None
        return _Work(delivery=delivery, chunk=chunk, window=window)

    def _score(self, works: Sequence[_Work[WindowT]]) -> None:
        started_at, started = datetime.now(UTC), time.perf_counter()
        spans = [self._begin_span(work.chunk) for work in works]
        judgements = judge_apart(self._scorer.score, [work.window for work in works], self._fail)
        compute_s = (time.perf_counter() - started) / len(works)
        BATCH_SIZE.labels(self._scorer.modality).observe(len(works))
        for work, judgement, span in zip(works, judgements, spans, strict=True):
            span.end()
            queue_s = (started_at - work.chunk.captured_at).total_seconds()
            score = self._place(judgement, work.chunk, span, max(0.0, queue_s), compute_s)
            _count(score)
            confirmed = self._broker.publish(SCORES_EXCHANGE, f"{score.TYPE}.{score.modality}", score.to_message())
            confirmed.add_done_callback(partial(_settle, work.delivery))

    def _begin_span(self, chunk: Chunk) -> Span:
        place: dict[str, str | int] = {"session_id": chunk.session_id, "seq": chunk.seq}
        return begin_span(f"score {self._scorer.modality}", chunk.traceparent, place)

    def _fail(self, _: WindowT, error: Exception) -> Judgement:
        modality = self._scorer.modality
        logger.error("scorer failed", exc_info=error, extra={"modality": modality})
        return Judgement(status=Status.FAILED, reason="internal_error", details=empty_details(modality))

    def _place(self, judgement: Judgement, chunk: Chunk, span: Span, queue_s: float, compute_s: float) -> ModalityScore:
        scorer = self._scorer
        return ModalityScore(
            **dict(judgement),
            session_id=chunk.session_id,
            traceparent=span.traceparent,
            modality=scorer.modality,
            seq=chunk.seq,
            captured_at=chunk.captured_at,
            start_s=chunk.start_s,
            end_s=chunk.end_s,
            model=scorer.model,
            queue_s=queue_s,
            compute_s=compute_s,
        )


def _count(score: ModalityScore) -> None:
    QUEUE_WAIT.labels(score.modality).observe(score.queue_s)
    COMPUTE.labels(score.modality).observe(score.compute_s)
    SCORES.labels(score.modality, score.status).inc()


def _settle(delivery: Delivery, confirmed: Future[None]) -> None:
    """Acknowledge a message whose score is safe; hand it back where it is not."""
    error = None if confirmed.cancelled() else confirmed.exception()
    if error is None and not confirmed.cancelled():
        CONFIRMS.labels("confirmed").inc()
        delivery.ack()
        return
    CONFIRMS.labels("refused").inc()
    logger.warning("score not taken by the broker", extra={"message_id": delivery.message.message_id})
    delivery.requeue()
