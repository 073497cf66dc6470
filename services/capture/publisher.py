"""Publishes with confirms under way, in bounded memory, and counts exactly; capturing never waits for the network."""

import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from functools import partial
from threading import Condition, RLock
from typing import Final

from services.capture.lane import Lane, Parcel
from services.capture.settings import CaptureSettings
from services.capture.status import Counts, Link
from shared.broker.port import Broker
from shared.errors import BrokerError
from shared.messages.frame import FrameChunk
from shared.messages.message import Message
from shared.stopping import Stop
from shared.topology import MEDIA_EXCHANGE
from shared.tracing import begin_publish

logger = logging.getLogger(__name__)

_POLL_S: Final = 0.05
_REPORT_S: Final = 10.0
_FRAME_SHARE: Final = 4
"""Live frames may fill this part of the window, so that speech never waits behind pictures."""


class Publisher:
    """Sends the messages of one session to the media exchange; confirms come on the broker's own thread.

    Args:
        broker: Where to.
        settings: Bounds and timeouts.
        speech_key: The routing key of speech.
        live: Whether what finds no room is dropped, the oldest first; a recording waits for room instead.
    """

    def __init__(self, broker: Broker, settings: CaptureSettings, speech_key: str, *, live: bool) -> None:
        self._broker = broker
        self._settings = settings
        self._live = live
        window = settings.max_outstanding
        frame_window = max(1, window // _FRAME_SHARE) if live else window
        self._speech = Lane(speech_key, 60 * settings.keep_minutes if live else float("inf"), window)
        self._frames = Lane(FrameChunk.TYPE, settings.keep_frames if live else float("inf"), frame_window)
        self._changed = Condition(RLock())
        self._under_way: dict[Future[None], str] = {}
        self._refusal: BrokerError | None = None
        self._pumping = False
        self._since_look = 0

    @property
    def speech(self) -> Counts:
        """What became of the utterances."""
        with self._changed:
            return self._speech.counts

    @property
    def frames(self) -> Counts:
        """What became of the frames."""
        with self._changed:
            return self._frames.counts

    @property
    def link(self) -> Link:
        """How the broker can be reached now."""
        if not self._broker.connected:
            return "away"
        return "blocked" if self._broker.blocked else "connected"

    def tell(self, message: Message) -> None:
        """Send what is said about the session itself, at once, under its own type.

        Raises:
            BrokerError: If an earlier message was refused.
        """
        with self._changed:
            self._check()
            self._send(message.type, message, lambda _: None)

    def say(self, parcel: Parcel) -> None:
        """Send an utterance.

        Raises:
            BrokerError: If an earlier message was refused; of a recording, also if there is no room in time.
        """
        self._put(self._speech, parcel)

    def show(self, parcel: Parcel) -> None:
        """Send a frame.

        Raises:
            BrokerError: If an earlier message was refused; of a recording, also if there is no room in time.
        """
        self._put(self._frames, parcel)

    def forget(self, start_s: float, end_s: float) -> None:
        """Drop what overlaps a stretch and has not left yet."""
        with self._changed:
            self._speech.forget(start_s, end_s)
            self._frames.forget(start_s, end_s)

    def drain(self) -> None:
        """Wait until nothing waits and every message under way is confirmed.

        Raises:
            PublishError: If one was refused; the others are settled all the same.
            BrokerError: If the broker confirms nothing for too long or is gone.
        """
        self._wait_until(lambda: not self._under_way)
        self._check()

    def wait_for_workers(self, queues: Collection[str], stop: Stop) -> None:
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

    def _put(self, lane: Lane, parcel: Parcel) -> None:
        with self._changed:
            lane.put(parcel)
            self._pump()
            self._check()
        self._since_look += 1
        if not self._live:
            self._wait_until(lambda: not lane.waits)

    def _pump(self) -> None:
        """Give the broker what may leave; a broker that confirms at once calls back from in here."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while (lane := self._next()) is not None:
                parcel, message = lane.take()
                self._send(lane.routing_key, message, partial(_settle, lane, parcel))
        finally:
            self._pumping = False

    def _next(self) -> Lane | None:
        if len(self._under_way) >= self._settings.max_outstanding:
            return None
        return next((lane for lane in (self._speech, self._frames) if lane.ready), None)

    def _send(self, routing_key: str, message: Message, settle: Callable[[bool], None]) -> None:
        message, span = begin_publish(message)
        future = self._broker.publish(MEDIA_EXCHANGE, routing_key, message)
        self._under_way[future] = message.type
        future.add_done_callback(lambda _: span.end())
        future.add_done_callback(lambda done: self._settle(done, settle))

    def _settle(self, future: Future[None], settle: Callable[[bool], None]) -> None:
        error = future.exception()
        with self._changed:
            del self._under_way[future]
            settle(error is None)
            if error is not None and self._refusal is None:
                self._refusal = error if isinstance(error, BrokerError) else BrokerError(f"A message failed: {error}")
            self._pump()
            self._changed.notify_all()

    def _check(self) -> None:
        """Raise the first refusal, once: the session can still be ended after it."""
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal

    def _wait_until(self, is_done: Callable[[], bool]) -> None:
        timeout_s = self._settings.confirm_timeout_s
        with self._changed:
            while not is_done():
                if not self._changed.wait(timeout_s):  # every confirm notifies
                    raise BrokerError(self._silence(timeout_s))

    def _silence(self, timeout_s: float) -> str:
        oldest = next(iter(self._under_way.values()))
        speech, frames = self._speech.counts.waiting, self._frames.counts.waiting
        return (
            f"The broker has not confirmed a {oldest} within {timeout_s:g} s; check that it is well. "
            f"{speech} utterances and {frames} frames are not delivered."
        )


def _settle(lane: Lane, parcel: Parcel, confirmed: bool) -> None:  # noqa: FBT001  (a callback)
    lane.settle(parcel, confirmed=confirmed)
