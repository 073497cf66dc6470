"""The one worker that serves every modality: micro-batches in, scores out, acknowledged once the scores are safe."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Thread
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
from shared.topology import MEDIA_QUEUES, RETRY_EXCHANGE, RETRY_KEYS, RETRY_QUEUES, SCORES_EXCHANGE
from shared.tracing import Span, begin_span

logger = logging.getLogger(__name__)

WindowT = TypeVar("WindowT")

Chunk = SpeechChunk | FrameChunk | TypedText

_PREFETCHED_BATCHES: Final = 2

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0

_MOVE_S: Final = 5.0
"""Seconds that a suspect waits for those beside it to be out of this worker's hands."""


class _Errand(Enum):
    """What the model thread is to do with a message."""

    JUDGE = auto()
    JUDGE_ALONE = auto()
    HAND_BACK = auto()


_Arrival = tuple[Delivery, _Errand]


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

    When a worker's process dies, the broker counts that against everything that was in its hands, and cannot tell which
    message it died of. What comes a second time is therefore moved, unjudged, to the modality's retry queue, from which
    every worker takes one at a time and judges it alone: a message that kills its worker runs into the delivery limit
    of that queue by itself, and those that were beside it are judged.

    Args:
        broker: Where messages come from and scores go.
        scorer: Judges the windows.
        read: Checks a message against its contract and decodes its media; raises
            :class:`~shared.errors.UndecodableMessageError` where it cannot.
        batch_size: Most messages judged together.
        linger_s: Seconds to wait for a batch to fill once its first message is there.
        pause: Waits until an event, which is set on a drain, for at most so many seconds; before the worker hands back
            what the broker took no score for.
    """

    def __init__(
        self,
        broker: Broker,
        scorer: Scorer[WindowT],
        read: Callable[[Message], tuple[Chunk, WindowT]],
        *,
        batch_size: int = 8,
        linger_s: float = 0.005,
        pause: Callable[[Event, float], object] = Event.wait,
    ) -> None:
        self._broker = broker
        self._scorer = scorer
        self._read = read
        self._batch_size = batch_size
        self._linger_s = linger_s
        self._pause = pause
        self._pause_s = _FIRST_PAUSE_S
        self._inbox: SimpleQueue[_Arrival | None] = SimpleQueue()
        self._moves: set[Future[None]] = set()
        self._draining = Event()
        self._thread = Thread(target=self._run, name=f"{scorer.modality}-model", daemon=True)
        self._subscriptions: list[Subscription] = []
        self._busy_since: float | None = None

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()
        modality, prefetch = self._scorer.modality, self._batch_size * _PREFETCHED_BATCHES
        self._subscriptions.append(self._broker.consume(MEDIA_QUEUES[modality], self._receive, prefetch))
        self._subscriptions.append(self._broker.consume(RETRY_QUEUES[modality], self._receive_suspect, 1))

    def drain(self) -> None:
        """Take nothing new; what is in hand is still judged."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._draining.set()
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

    def _receive(self, delivery: Delivery) -> None:
        """Take what comes for the first time; set apart at once, for it counts as in hand till then, what does not."""
        if not delivery.redelivered:
            self._inbox.put((delivery, _Errand.JUDGE))
            return
        logger.warning("message came back; set apart", extra={"message_id": delivery.message.message_id})
        moved = self._broker.publish(RETRY_EXCHANGE, RETRY_KEYS[self._scorer.modality], delivery.message)
        self._moves.add(moved)
        moved.add_done_callback(partial(self._settle, delivery))
        moved.add_done_callback(self._moves.discard)

    def _receive_suspect(self, delivery: Delivery) -> None:
        self._inbox.put((delivery, _Errand.JUDGE_ALONE))

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._collect()
            self._work([delivery for delivery, errand in batch if errand is _Errand.JUDGE])
            for suspect in (delivery for delivery, errand in batch if errand is _Errand.JUDGE_ALONE):
                # What is still on its way to the retry queue would share its fate.
                wait(self._moves.copy(), _MOVE_S)
                self._work([suspect])
            self._hand_back([delivery for delivery, errand in batch if errand is _Errand.HAND_BACK])

    def _collect(self) -> tuple[list[_Arrival], bool]:
        """Return what there is to do, of one micro-batch at most, and whether it is the last."""
        batch: list[_Arrival] = []
        deadline: float | None = None
        while len(batch) < self._batch_size:
            try:
                timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
                arrival = self._inbox.get(timeout=timeout)
            except Empty:
                break
            if arrival is None:
                return batch, True
            batch.append(arrival)
            deadline = deadline or time.monotonic() + self._linger_s
        return batch, False

    def _work(self, batch: Sequence[Delivery]) -> None:
        self._busy_since = time.monotonic()
        works = [work for delivery in batch if (work := self._open(delivery)) is not None]
        if works:
            self._score(works)
        self._busy_since = None

    def _hand_back(self, refused: Sequence[Delivery]) -> None:
        """Hand back what nothing was taken of, after a pause: it comes again at once, and so would the refusal."""
        if not refused:
            return
        logger.warning("publish refused; handing back", extra={"messages": len(refused), "pause_s": self._pause_s})
        self._pause(self._draining, self._pause_s)
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        for delivery in refused:
            delivery.requeue()

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
            confirmed.add_done_callback(self._count_confirm)
            confirmed.add_done_callback(partial(self._settle, work.delivery))

    def _count_confirm(self, confirmed: Future[None]) -> None:
        if _is_taken(confirmed):
            self._pause_s = _FIRST_PAUSE_S
        CONFIRMS.labels("confirmed" if _is_taken(confirmed) else "refused").inc()

    def _settle(self, delivery: Delivery, confirmed: Future[None]) -> None:
        """Acknowledge a message that the broker has in another form; where it took none, it is to go back."""
        if _is_taken(confirmed):
            delivery.ack()
        else:
            self._inbox.put((delivery, _Errand.HAND_BACK))

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


def _is_taken(confirmed: Future[None]) -> bool:
    return not confirmed.cancelled() and confirmed.exception() is None
