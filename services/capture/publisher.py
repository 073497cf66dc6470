"""Publishes with confirms under way, counts what the broker took, and does not run ahead of the workers."""

import logging
import time
from collections import Counter, deque
from collections.abc import Collection
from concurrent.futures import Future
from threading import Event
from typing import Final

from services.capture.settings import CaptureSettings
from shared.broker.port import Broker
from shared.errors import BrokerError, PublishError
from shared.messages.message import Message
from shared.topology import MEDIA_EXCHANGE

logger = logging.getLogger(__name__)

_POLL_S: Final = 0.05
_REPORT_S: Final = 10.0


class Publisher:
    """Sends messages to the media exchange; one thread uses it.

    Args:
        broker: Where to.
        settings: Bounds and timeouts.
    """

    def __init__(self, broker: Broker, settings: CaptureSettings) -> None:
        self._broker = broker
        self._settings = settings
        self._outstanding: deque[tuple[str, Future[None]]] = deque()
        self._confirmed: Counter[str] = Counter()
        self._since_look = 0

    def confirmed(self, message_type: str) -> int:
        """Return how many messages of a type the broker has taken responsibility for, as far as is known."""
        return self._confirmed[message_type]

    def publish(self, routing_key: str, message: Message) -> None:
        """Send a message; it is confirmed later, and a bounded number may be under way.

        Raises:
            BrokerError: If an earlier message was refused, or is not confirmed in time.
        """
        while len(self._outstanding) >= self._settings.max_outstanding:
            self._settle_oldest()
        self._outstanding.append((message.type, self._broker.publish(MEDIA_EXCHANGE, routing_key, message)))
        self._since_look += 1

    def drain(self) -> None:
        """Wait until every message under way is confirmed.

        Raises:
            PublishError: If one was refused; the others are settled all the same.
            BrokerError: If the broker does not answer in time or is gone.
        """
        refusal: PublishError | None = None
        while self._outstanding:
            try:
                self._settle_oldest()
            except PublishError as error:
                refusal = refusal or error
        if refusal is not None:
            raise refusal

    def wait_for_workers(self, queues: Collection[str], stop: Event) -> None:
        """Return when no queue holds more than the bound, or when told to stop; looks only every few messages.

        Raises:
            BrokerError: If the broker does not say how many wait.
        """
        if self._since_look < self._settings.depth_every:
            return
        self._since_look = 0
        report_at = time.monotonic() + _REPORT_S
        for queue in queues:
            while (depth := self._broker.depth(queue)) > self._settings.max_waiting:
                if stop.wait(_POLL_S):
                    return
                if time.monotonic() >= report_at:
                    logger.warning("waiting for the workers", extra={"queue": queue, "depth": depth})
                    report_at = time.monotonic() + _REPORT_S

    def _settle_oldest(self) -> None:
        message_type, future = self._outstanding.popleft()
        timeout_s = self._settings.confirm_timeout_s
        try:
            future.result(timeout_s)
        except TimeoutError:
            raise BrokerError(
                f"The broker has not confirmed a {message_type} within {timeout_s:g} s; check that it is well."
            ) from None
        self._confirmed[message_type] += 1
