"""The connection itself: one thread owns it, and makes it anew with growing pauses whenever it is lost."""

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from time import monotonic
from typing import Final, Protocol, TypeVar

import pika
from pika.adapters.select_connection import IOLoop

from shared.broker.rabbitmq.failures import Answer, LostError, explain, is_final, root_cause
from shared.broker.rabbitmq.parameters import parameters_of
from shared.errors import BrokerError
from shared.metrics import RECONNECTS
from shared.settings import BrokerSettings

log = logging.getLogger(__name__)
# This module says in its own words what happens to the connection; pika would say each of it several times over.
logging.getLogger("pika").setLevel(logging.CRITICAL)

T = TypeVar("T")
FIRST_PAUSE_S: Final = 0.5
GOODBYE_S: Final = 5.0
"""Seconds that a broker has to answer when we close."""


class Listener(Protocol):
    """Whoever is told about the connection, on the I/O thread."""

    def on_up(self, connection: pika.SelectConnection) -> None:
        """There is a new open connection."""

    def on_unblocked(self) -> None:
        """Publishing may go on."""

    def on_failure(self, failure: BrokerError) -> None:
        """It makes no sense to try again."""


class Link:
    """A connection to RabbitMQ that comes back by itself; only its own thread touches pika.

    Attributes:
        blocked: Whether RabbitMQ has asked us to publish no more, for want of memory or disk.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        """Prepare; nothing happens before :meth:`start`.

        Args:
            settings: Where to connect to.
        """
        self.blocked = False
        self._settings = settings
        self._parameters = parameters_of(settings)
        self._listener: Listener
        self._ioloop = IOLoop()
        self._connection: pika.SelectConnection | None = None
        self._decided = threading.Event()
        self._failure: BrokerError | None = None
        self._last_error: BaseException | None = None
        self._was_up = False
        self._attempts = 0
        self._lock = threading.Lock()
        self._calls: list[Callable[[], None]] = []
        self._closing = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=f"amqp {self.address}", daemon=True)

    @property
    def address(self) -> str:
        """Host and port, without the password."""
        return f"{self._parameters.host}:{self._parameters.port}"

    @property
    def is_up(self) -> bool:
        """Whether there is a connection now."""
        connection = self._connection
        return connection is not None and connection.is_open

    @property
    def was_up(self) -> bool:
        """Whether there ever was a connection."""
        return self._was_up

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller runs on the I/O thread."""
        return threading.current_thread() is self._thread

    def start(self, listener: Listener) -> None:
        """Start to connect, and tell the listener what happens."""
        self._listener = listener
        self._thread.start()

    def call(self, work: Callable[[], None]) -> None:
        """Run something on the I/O thread, in the order of the calls; after :meth:`close`, not at all."""
        with self._lock:
            if self._stopped:
                return
            self._calls.append(work)
            # Waking the thread costs both sides more than most calls do: one wake-up serves all that wait.
            if len(self._calls) == 1:
                self._ioloop.add_callback_threadsafe(self._run_calls)

    def call_later(self, delay_s: float, work: Callable[[], None]) -> None:
        """Run something on the I/O thread after a pause; only for callers on that thread."""
        self._ioloop.call_later(delay_s, lambda: self._guard(work))

    def ask(self, question: Callable[[pika.SelectConnection, Answer[T]], None]) -> T:
        """Put a question to the broker and wait for the answer; asked again where the connection is lost meanwhile.

        Args:
            question: Called on the I/O thread with an open connection; settles the answer.

        Raises:
            BrokerError: If there is no answer in time or the broker refuses.
        """
        if self.is_own_thread:
            raise BrokerError("the broker cannot be asked from its own callback; hand the work to another thread")
        deadline = monotonic() + self._settings.connect_timeout_s
        while True:
            self._wait_until_up(deadline - monotonic())
            answer: Answer[T] = Answer()
            self.call(lambda answer=answer: self._put(question, answer))  # type: ignore[misc]
            try:
                return answer.result(max(0.0, deadline - monotonic()))
            except LostError:
                continue
            except TimeoutError:
                why = "is short of memory or disk" if self.blocked else "does not answer"
                raise BrokerError(f"RabbitMQ at {self.address} {why}; look at its log") from None

    def join_call(self, done: Future[None]) -> None:
        """Wait, within a bound, until something that was called has run; at once on the I/O thread itself."""
        if self._thread.is_alive() and not self.is_own_thread:
            wait([done], self._settings.connect_timeout_s)

    def close(self) -> None:
        """Say goodbye, within a bound, and end the thread."""
        # In two steps, so that what the calls before this one have put off until after them comes first.
        self.call(lambda: self.call(self._close))
        if self._thread.is_alive() and not self.is_own_thread:
            self._thread.join(2 * GOODBYE_S)

    def _put(self, question: Callable[[pika.SelectConnection, Answer[T]], None], answer: Answer[T]) -> None:
        if self._connection is None or not self._connection.is_open:
            answer.fail(LostError())
            return
        try:
            question(self._connection, answer)
        except Exception as error:  # noqa: BLE001  (whoever asked gets it)
            answer.fail(BrokerError(f"RabbitMQ cannot be asked that: {error}"))

    def _wait_until_up(self, timeout_s: float) -> None:
        decided = self._decided.wait(max(0.0, timeout_s))
        if self._failure is not None:
            raise BrokerError(str(self._failure))
        if not decided:
            raise BrokerError(explain(self._last_error, self.address))

    def _run_calls(self) -> None:
        with self._lock:
            calls, self._calls = self._calls, []
        for work in calls:
            self._guard(work)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("a callback of the connection to %s failed", self.address)

    def _run(self) -> None:
        self._guard(self._connect)
        while not self._stopped:
            try:
                self._ioloop.start()
            except Exception as error:
                # Closed in the middle of its handshake, a connection of pika trips over an assertion of its own.
                if not self._closing:
                    log.exception("the connection to %s stumbled and goes on", self.address)
                    self._give_up(error)
        self._ioloop.close()

    def _give_up(self, error: Exception) -> None:
        """Try anew where an attempt stumbled, for want of a socket for example: pika tells nobody of its end."""
        if self._connection is not None and not self._connection.is_open:
            self._lost(self._connection, error)

    def _connect(self) -> None:
        if self._closing:
            return
        try:
            self._connection = pika.SelectConnection(
                self._parameters,
                on_open_callback=self._opened,
                on_open_error_callback=self._lost,
                on_close_callback=self._lost,
                custom_ioloop=self._ioloop,
            )
        except Exception as error:  # noqa: BLE001  (whatever it is, the next attempt may be luckier)
            self._lost(None, error)

    def _opened(self, connection: pika.SelectConnection) -> None:
        if connection is not self._connection:
            connection.close()
            return
        log.info("connected to RabbitMQ at %s", self.address)
        if self._was_up:
            RECONNECTS.inc()
        self._was_up, self._attempts, self.blocked = True, 0, False
        connection.add_on_connection_blocked_callback(lambda *_: self._block())
        connection.add_on_connection_unblocked_callback(lambda *_: self._unblock())
        self._decided.set()
        self._guard(lambda: self._listener.on_up(connection))

    def _block(self) -> None:
        log.warning("RabbitMQ at %s is short of memory or disk; publishing waits", self.address)
        self.blocked = True

    def _unblock(self) -> None:
        self.blocked = False
        self._guard(self._listener.on_unblocked)

    def _lost(self, connection: pika.SelectConnection | None, error: BaseException) -> None:
        if connection is not self._connection:
            return
        self._connection, self._last_error = None, error
        if self._closing:
            self._stop()
        elif is_final(error) and not self._was_up:
            self._fail(BrokerError(explain(error, self.address)))
        else:
            self._decided.clear()
            pause_s = self._pause_s()
            log.warning("no connection to %s: %r; next try in %.1f s", self.address, root_cause(error), pause_s)
            self.call_later(pause_s, self._connect)

    def _pause_s(self) -> float:
        longest = min(self._settings.reconnect_max_s, FIRST_PAUSE_S * 2 ** min(self._attempts, 16))
        self._attempts += 1
        return random.SystemRandom().uniform(0.0, longest)

    def _fail(self, failure: BrokerError) -> None:
        self._failure = failure
        self._decided.set()
        self._guard(lambda: self._listener.on_failure(failure))

    def _close(self) -> None:
        self._closing = True
        if self._connection is None or self._connection.is_closed:
            self._stop()
            return
        self.call_later(GOODBYE_S, self._stop)
        if not self._connection.is_closing:
            self._connection.close()

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
        self._failure = self._failure or BrokerError("the broker is closed; open another one")
        self._decided.set()
        self._ioloop.stop()
