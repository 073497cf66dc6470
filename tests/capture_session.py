"""An agent at work on a live source, and what it sends."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final, Self

from services.capture.agent import Agent
from services.capture.sources.port import Source
from shared.broker.memory import MemoryBroker
from shared.broker.port import Delivery
from shared.emotions import Modality
from shared.messages import FrameChunk, SessionEnded, SpeechChunk
from shared.sessions import new_session
from shared.topology import MEDIA_QUEUES, TOPOLOGY

TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05


class LiveSession:
    """Reads a source on a thread of its own until :meth:`end`; a context manager.

    Args:
        source: What it reads.
        modality: What is judged of it: audio or face.

    Attributes:
        agent: Who reads it.
        speech: The utterances sent so far.
        frames: The frames sent so far.
    """

    def __init__(self, source: Source, modality: Modality) -> None:
        self.speech: list[SpeechChunk] = []
        self.frames: list[FrameChunk] = []
        self._ended: list[SessionEnded] = []
        self._broker = MemoryBroker()
        self._broker.declare(TOPOLOGY)
        self.agent = Agent(self._broker, new_session([modality])[0], live=True)
        self._broker.consume(MEDIA_QUEUES[modality], self._take, prefetch=1)
        self._thread = threading.Thread(target=lambda: self._ended.append(self.agent.run(source)))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def problem(self) -> str:
        """Wait until something is missing, and return the sentence about it."""
        until(lambda: self.agent.status().problem is not None, "told that it is missing")
        return self.agent.status().problem or ""

    def until_well(self) -> None:
        """Wait until nothing is missing."""
        until(lambda: self.agent.status().problem is None, "told that it is back")

    def end(self) -> SessionEnded:
        """End it; again is harmless."""
        self.agent.stop()
        self._thread.join(TIMEOUT_S)
        self._broker.close()
        return self._ended[0]

    def _take(self, delivery: Delivery) -> None:
        if delivery.message.type == FrameChunk.TYPE:
            self.frames.append(FrameChunk.from_message(delivery.message))
        else:
            self.speech.append(SpeechChunk.from_message(delivery.message))
        delivery.ack()


def until(is_so: Callable[[], bool], what: str) -> None:
    """Ask again and again, within a bound."""
    deadline = monotonic() + TIMEOUT_S
    while not is_so():
        assert monotonic() < deadline, f"not {what} in time"
        threading.Event().wait(POLL_S)
