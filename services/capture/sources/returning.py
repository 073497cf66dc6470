"""A device or a stream that is read on a thread of its own, and comes back when it was away."""

import logging
from abc import ABC, abstractmethod
from threading import Event, Thread
from typing import Final

from shared.errors import BadInputError

logger = logging.getLogger(__name__)

_RETRY_S: Final = 1.0
_CLOSE_S: Final = 6.0
"""Longer than any stream that hangs is waited for."""

GOES_ON: Final = "It goes on when it returns."


class Returning(ABC):
    """Is attended to again and again, from :meth:`start` to :meth:`close` or its own end.

    Args:
        kind: What it is, in one word, for the log.
        name: What it is called, without what is secret.
    """

    def __init__(self, kind: str, name: str) -> None:
        self._kind = kind
        self._name = name
        self._problem: str | None = None
        self._over = False
        self._closing = Event()
        self._thread = Thread(target=self._run, name=kind, daemon=True)

    @property
    def problem(self) -> str | None:
        """A sentence where it gives nothing now, or None."""
        return self._problem

    @property
    def over(self) -> bool:
        """Whether nothing will ever come any more."""
        return self._over

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; may be called once. One that hangs is given up after a bound."""
        self._closing.set()
        self._thread.join(_CLOSE_S)

    @abstractmethod
    def _attend(self) -> str:
        """Open it and take what it gives, until it is gone or closed.

        Returns:
            Why it gives nothing any more, in a sentence; nothing where it was closed or came to its end.

        Raises:
            BadInputError: Why it cannot be opened.
        """

    def _clear_problem(self) -> None:
        """Note that it gives something."""
        self._problem = None

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                trouble = self._attend()
            except BadInputError as error:
                trouble = str(error)
            if not trouble:
                break
            self._tell(trouble)
            self._closing.wait(_RETRY_S)
        self._over = True

    def _tell(self, trouble: str) -> None:
        if self._closing.is_set():
            return
        if self._problem is None:
            logger.warning("%s lost", self._kind, extra={"device": self._name, "trouble": trouble})
        self._problem = f"{trouble} {GOES_ON}"
