"""How a process is told to end: by a signal, at any moment."""

import signal
from contextlib import suppress
from queue import Empty, SimpleQueue


class Stop:
    """An event for signal handlers.

    A handler runs on the main thread, between any two instructions of it. Where that thread is inside the wait of a
    :class:`threading.Event`, it may hold the event's lock, and a handler that sets the event would wait for itself for
    ever; a :class:`~queue.SimpleQueue` is made for such calls.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Tell to end; for signal handlers and for any thread."""
        self._is_set = True
        self._wake.put(None)

    def is_set(self) -> bool:
        """Return whether it was told to end."""
        return self._is_set

    def wait(self, timeout_s: float) -> bool:
        """Wait at most so many seconds, and return whether it was told to end; for one thread."""
        if not self._is_set:
            with suppress(Empty):
                self._wake.get(timeout=timeout_s)
        return self._is_set


def stop_on_signals() -> Stop:
    """Return what SIGTERM and SIGINT set."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
