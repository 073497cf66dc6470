"""Scoring on the person's own machine: what is judged here never leaves it, and only its scores travel."""

import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from functools import partial
from importlib import import_module
from threading import Lock
from typing import Any, Final

from shared import __version__
from shared.broker.memory import MemoryBroker
from shared.broker.port import Broker, Cause, Delivery, Subscription
from shared.emotions import Modality
from shared.errors import BrokerError, SettingsError
from shared.messages.details import empty_details
from shared.messages.frame import FrameChunk
from shared.messages.message import Message
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.speech import SpeechChunk
from shared.topology import (
    DEAD_QUEUE,
    FRAME_READERS,
    FUSION_QUEUE,
    MEDIA_EXCHANGE,
    QUEUE_MODALITIES,
    SPEECH_KEYS,
    TOPOLOGY,
    Topology,
    readers_of,
)
from shared.worker import Worker

logger = logging.getLogger(__name__)

_Place = tuple[str, Modality, int]
LoadWorker = Callable[[Broker], Worker[Any]]

_PREFETCH: Final = 1_000
_TOO_LATE: Final = frozenset({Cause.EXPIRED, Cause.MAXLEN})


class LocalBroker:
    """A broker that keeps the media of some modalities in this process; see :class:`~shared.broker.port.Broker`.

    What those modalities read goes to workers here, over a broker in memory, and their scores go to the other broker's
    media exchange, which is all that an agent's account may write to. The future of such a publish is done when the
    other broker has every score that comes of it, so that whoever counts what was confirmed counts right.

    Args:
        remote: Where scores go, and everything that is not judged here; it is closed with this one.
        loaders: What loads and warms the worker of each modality that is judged here.

    Raises:
        WeightsError: If weights are missing or altered.
    """

    def __init__(self, remote: Broker, loaders: dict[Modality, LoadWorker]) -> None:
        self._remote = remote
        self._here = frozenset(loaders)
        self._memory = MemoryBroker()
        self._memory.declare(TOPOLOGY)
        self._lock = Lock()
        self._pending: dict[_Place, Future[None]] = {}
        self._workers = [load(self._memory) for load in loaders.values()]
        self._subscriptions: list[Subscription] = [
            self._memory.consume(FUSION_QUEUE, self._score_came, _PREFETCH),
            self._memory.consume(DEAD_QUEUE, self._chunk_died, _PREFETCH),
        ]
        for worker in self._workers:
            worker.start()

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the other broker now."""
        return self._remote.connected

    @property
    def blocked(self) -> bool:
        """Whether the other broker takes no publishes."""
        return self._remote.blocked

    def declare(self, topology: Topology) -> None:
        """Declare at the other broker."""
        self._remote.declare(topology)

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        """Send a message to the workers here, to the other broker, or to each what is for it."""
        readers = readers_of(routing_key) if exchange == MEDIA_EXCHANGE else frozenset()
        here, there = readers & self._here, readers - self._here
        if not here:
            return self._remote.publish(exchange, routing_key, message)
        parts = [self._expect(message, modality) for modality in here]
        self._memory.publish(exchange, SPEECH_KEYS.get(here, routing_key), message).result()
        if there:
            parts.append(self._remote.publish(exchange, SPEECH_KEYS[there], message))
        return _all_of(parts)

    def consume(self, queue: str, on_delivery: Callable[[Delivery], None], prefetch: int) -> Subscription:
        """Consume from the other broker."""
        return self._remote.consume(queue, on_delivery, prefetch)

    def depth(self, queue: str) -> int:
        """Return how many messages wait in a queue, here or there."""
        return self._holder_of(queue).depth(queue)

    def consumers(self, queue: str) -> int:
        """Return how many consumers a queue has, here or there."""
        return self._holder_of(queue).consumers(queue)

    def close(self) -> None:
        """Finish what is in hand, then close both brokers."""
        for worker in self._workers:
            worker.stop()
        for subscription in self._subscriptions:
            subscription.cancel()
        self._remote.close()
        self._memory.close()
        with self._lock:
            left, self._pending = self._pending, {}
        for future in left.values():
            future.set_exception(BrokerError("the broker is closed; open another one"))

    def _holder_of(self, queue: str) -> Broker:
        return self._memory if QUEUE_MODALITIES.get(queue) in self._here else self._remote

    def _expect(self, message: Message, modality: Modality) -> Future[None]:
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            self._pending[message.correlation_id, modality, int(message.headers["seq"])] = future
        return future

    def _score_came(self, delivery: Delivery) -> None:
        self._relay(delivery, ModalityScore.from_message(delivery.message))

    def _chunk_died(self, delivery: Delivery) -> None:
        death = delivery.death
        modality = QUEUE_MODALITIES.get(death.queue) if death else None
        if death is None or modality is None:
            delivery.ack()
            return
        contract = FrameChunk if modality in FRAME_READERS else SpeechChunk
        chunk = contract.from_message(delivery.message)
        score = ModalityScore(
            session_id=chunk.session_id,
            traceparent=chunk.traceparent,
            modality=modality,
            seq=chunk.seq,
            start_s=chunk.start_s,
            end_s=chunk.end_s,
            status=Status.FAILED,
            reason="too_late" if death.cause in _TOO_LATE else death.cause.value,
            details=empty_details(modality),
            model=ModelRef(name="mien-agent", version=__version__),
        )
        self._relay(delivery, score)

    def _relay(self, delivery: Delivery, score: ModalityScore) -> None:
        """Send a score on; the other broker sends it again until it has it."""
        sent = self._remote.publish(MEDIA_EXCHANGE, f"{score.TYPE}.{score.modality}", score.to_message())
        place = score.session_id, score.modality, score.seq
        sent.add_done_callback(partial(self._settle, delivery, place))

    def _settle(self, delivery: Delivery, place: _Place, sent: Future[None]) -> None:
        delivery.ack()
        with self._lock:
            future = self._pending.pop(place, None)
        if future is None:
            return
        error = sent.exception()
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def loaders_of(modalities: Collection[Modality]) -> dict[Modality, LoadWorker]:
    """Return what loads the workers of some modalities; imported only now, for an agent alone has no models.

    Raises:
        SettingsError: If the packages of one are not installed.
    """
    return {modality: _loader_of(modality) for modality in Modality if modality in modalities}


def _loader_of(modality: Modality) -> LoadWorker:
    try:
        load: LoadWorker = import_module(f"services.{modality}.worker").load_worker
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"Scoring {modality} on this machine needs the package {error.name}; install mien[{modality}], "
            f"or leave {modality} out of --local."
        ) from None
    return load


def _all_of(parts: Sequence[Future[None]]) -> Future[None]:
    """Return a future that is done when all are, and fails with the first failure among them."""
    whole: Future[None] = Future()
    whole.set_running_or_notify_cancel()
    lock, left = Lock(), len(parts)

    def one_is_done(_: Future[None]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if not last:
            return
        error = next((error for part in parts if (error := part.exception()) is not None), None)
        if error is None:
            whole.set_result(None)
        else:
            whole.set_exception(error)

    for part in parts:
        part.add_done_callback(one_is_done)
    return whole
