"""The fusion worker: keeps what the messages say, then acknowledges them."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import Final

import redis

from services.fusion.intake import operation_of, operation_of_dead
from services.fusion.metrics import count_dead, count_kept, place_of
from services.fusion.store.commands import Operation
from services.fusion.store.session_store import SessionStore
from shared.broker.port import Broker, Delivery, Subscription
from shared.errors import UndecodableMessageError
from shared.messages.message import Message
from shared.messages.score import ModalityScore
from shared.messages.session import SessionStarted
from shared.sessions import refusal_of
from shared.topology import DEAD_QUEUE, FUSION_QUEUE
from shared.tracing import Span, begin_span, trace_context_of

logger = logging.getLogger(__name__)

_PREFETCH: Final = 1000
"""Messages in hand at most, of each of the two queues."""

_BATCH_SIZE: Final = 200
"""Most messages kept in one round trip."""

_LINGER_S: Final = 0.05
"""Seconds to let further messages come once one is there: a round trip costs far more than a message."""

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0

_STATES: Final = (
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.NoPermissionError,
    redis.exceptions.ClusterError,
    redis.exceptions.MasterDownError,
    redis.exceptions.TryAgainError,
    redis.exceptions.ClusterDownError,
)
_STATES_WITHOUT_CLASS: Final = ("NOREPLICAS", "MISCONF", "BUSY", "UNKILLABLE")
"""What Redis says of itself, and not of what was asked; the rest of them has a class in the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One message, read.

    Attributes:
        delivery: To be settled when it is kept.
        dead: Whether it came as a dead letter.
        operation: What it says, or None where it is a dead letter that belongs to no session.
    """

    delivery: Delivery
    dead: bool
    operation: Operation | None


class FusionWorker:
    """Consumes scores, the beginnings and ends of sessions, and dead letters; any number of workers may share a store.

    The broker's thread only hands messages over; one thread of the worker's own writes them to Redis in micro-batches.
    A message is acknowledged once it is kept. While Redis is away the batch is held and tried again: handing it back
    would use up its deliveries within seconds.

    Args:
        broker: Where messages come from.
        store: Where they are kept.
    """

    def __init__(self, broker: Broker, store: SessionStore) -> None:
        self._broker = broker
        self._store = store
        self._inbox: SimpleQueue[tuple[Delivery, bool] | None] = SimpleQueue()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="fusion-store", daemon=True)
        self._subscriptions: list[Subscription] = []

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()
        self._subscriptions = [
            self._broker.consume(FUSION_QUEUE, lambda delivery: self._inbox.put((delivery, False)), _PREFETCH),
            self._broker.consume(DEAD_QUEUE, lambda delivery: self._inbox.put((delivery, True)), _PREFETCH),
        ]

    def stop(self) -> None:
        """Drain: take nothing new and keep what is in hand. Where Redis is away, that goes back to the broker."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._stopping.set()
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._collect()
            works = [work for delivery, dead in batch if (work := _read(delivery, dead=dead)) is not None]
            if works:
                self._keep(works)

    def _collect(self) -> tuple[list[tuple[Delivery, bool]], bool]:
        """Return what is there, at least one message, and whether it is the last."""
        item = self._inbox.get()
        if self._inbox.qsize() < _BATCH_SIZE:
            self._stopping.wait(_LINGER_S)
        batch: list[tuple[Delivery, bool]] = []
        while item is not None:
            batch.append(item)
            if len(batch) == _BATCH_SIZE or self._inbox.empty():
                return batch, False
            item = self._inbox.get()
        return batch, True

    def _keep(self, works: Sequence[_Work]) -> None:
        """Keep a batch and acknowledge it; where that breaks, one by one, so that one message cannot fail the rest."""
        spans = [_begin_span(work.delivery.message) for work in works]
        try:
            kept = self._write(works)
        except Exception:
            if len(works) > 1:
                for work in works:
                    self._keep([work])
                return
            logger.exception("message cannot be kept", extra={"message_id": works[0].delivery.message.message_id})
            _give_up(works[0])
            return
        for span in spans:
            span.end()
        if kept:
            for work in works:
                _count(work)
                work.delivery.ack()

    def _write(self, works: Sequence[_Work]) -> bool:
        """Write a batch, however long Redis is away; False where the worker is stopped before."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                self._store.apply([work.operation for work in works if work.operation is not None])
                self._count_strangers(works)
            except redis.RedisError as error:
                if not _may_pass(error):
                    raise
                if self._stopping.is_set():
                    logger.warning("stopped while Redis is away", extra={"messages": len(works)})
                    return False
                logger.warning(
                    "Redis does not take a batch; trying again",
                    extra={"messages": len(works), "pause_s": pause_s, "error": str(error)},
                )
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                return True

    def _count_strangers(self, works: Sequence[_Work]) -> None:
        places = Counter(place_of(work.delivery.death) for work in works if work.operation is None)
        if places:
            self._store.count_dead_letters(places)


def _may_pass(error: redis.RedisError) -> bool:
    """Return whether Redis may take the same batch later; False where it is what was asked that Redis cannot do."""
    if not isinstance(error, redis.ResponseError) or isinstance(error, _STATES):
        return True
    return any(state in str(error) for state in _STATES_WITHOUT_CLASS)


def _read(delivery: Delivery, *, dead: bool) -> _Work | None:
    """Read a message; None where it is settled already."""
    message = delivery.message
    try:
        operation = operation_of_dead(message, delivery.death) if dead else operation_of(message)
    except UndecodableMessageError as error:
        logger.warning(
            "message dead-lettered",
            extra={"message_id": message.message_id, "session_id": message.correlation_id, "error": str(error)},
        )
        delivery.reject()
        return None
    except Exception:
        # Something that nobody thought of: that message is lost, and no other.
        logger.exception("message dead-lettered", extra={"message_id": message.message_id})
        delivery.reject()
        return None
    if isinstance(operation, SessionStarted) and refusal_of(operation.purpose) is not None:
        logger.warning("session refused: %s", operation.purpose, extra={"session_id": operation.session_id})
        delivery.ack()
        return None
    return _Work(delivery=delivery, dead=dead, operation=operation)


def _begin_span(message: Message) -> Span:
    place = {"session_id": message.correlation_id, "message_type": message.type}
    return begin_span("keep", trace_context_of(message), place)


def _count(work: _Work) -> None:
    if work.dead:
        count_dead(work.delivery.death)
    elif isinstance(work.operation, ModalityScore):
        count_kept(work.operation)


def _give_up(work: _Work) -> None:
    """Settle a message that cannot be kept; a dead letter has nowhere further to go."""
    if work.dead:
        work.delivery.ack()
    else:
        work.delivery.reject()
