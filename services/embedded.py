"""The composition root of one process: the very same services, over a broker and a store in memory.

A default for one person at one machine, not a second system: every message is encoded and decoded as AMQP would carry
it, and the store is the one that speaks to Redis, given fakeredis.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, Final, Self

import fakeredis
from fastapi import FastAPI

from services.audio import worker as audio
from services.capture.agent import Agent, Progress
from services.capture.ingest import BrokerIngest
from services.capture.sources.port import Source
from services.face import worker as face
from services.fusion.api import create_app
from services.fusion.replay import EvidenceExport, export_of
from services.fusion.results import SessionResult, SessionSummary, build_result, build_summary
from services.fusion.settings import FusionSettings
from services.fusion.state import Phase, Receipt, SessionState
from services.fusion.store.session_store import SessionStore
from services.fusion.worker import FusionWorker
from services.text import worker as text
from shared.broker.memory import MemoryBroker
from shared.broker.port import Broker
from shared.emotions import Modality
from shared.errors import SessionError
from shared.messages.session import SessionStarted
from shared.topology import TOPOLOGY
from shared.worker import Worker

_LOADERS: Final[dict[Modality, Callable[[Broker], Worker[Any]]]] = {
    Modality.TEXT: text.load_worker,
    Modality.AUDIO: audio.load_worker,
    Modality.FACE: face.load_worker,
}

_STALL_S: Final = 60.0
"""Seconds without any news after which what is missing will not come any more."""

_LOOK_EVERY_S: Final = 1.0
"""Seconds after which is looked whether the session is still there: of one that is erased nothing is heard."""


class Embedded:
    """All services in one process; a context manager.

    Args:
        modalities: Which workers to run.
    """

    def __init__(self, modalities: Sequence[Modality] = tuple(Modality)) -> None:
        self._modalities = tuple(modalities)
        self._broker = MemoryBroker()
        self._broker.declare(TOPOLOGY)
        self._store = SessionStore(fakeredis.FakeRedis(decode_responses=True))
        self._fusion = FusionWorker(self._broker, self._store)
        self._workers: list[Worker[Any]] = []
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        """Load and warm every model, side by side, and start every service.

        Raises:
            WeightsError: If weights are missing or altered.
        """
        with ThreadPoolExecutor(len(self._modalities)) as pool:
            self._workers = list(pool.map(lambda modality: _LOADERS[modality](self._broker), self._modalities))
        self._fusion.start()
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()
        self._fusion.stop()
        self._broker.close()

    def api(self, settings: FusionSettings) -> FastAPI:
        """Return the HTTP API and dashboard over these services.

        Args:
            settings: Which keys may create sessions, and the limits.
        """
        return create_app(
            self._store,
            settings,
            lambda: self._fusion.alive,
            broker=self._broker,
            ingest=BrokerIngest(self._broker),
        )

    def play(
        self, source: Source, started: SessionStarted, on_progress: Callable[[Progress], None] | None = None
    ) -> None:
        """Send a source through the agent, as one session.

        Args:
            source: What to analyse.
            started: The session.
            on_progress: Told how far the source is read.

        Raises:
            BadInputError: If the source cannot be read.
        """
        self.agent(started, live=False, on_progress=on_progress).run(source)

    def agent(
        self, started: SessionStarted, *, live: bool, on_progress: Callable[[Progress], None] | None = None
    ) -> Agent:
        """Return an agent that publishes to these services.

        Args:
            started: The session.
            live: Whether it happens now.
            on_progress: Told how far the source is read.
        """
        return Agent(self._broker, started, on_progress=on_progress, live=live)

    def begin(self, started: SessionStarted, owner: str) -> None:
        """Make a session known before its agent says so, so that a page that opens at once finds it.

        Args:
            started: The session.
            owner: The SHA-256 (hex) of the key on whose list it is.
        """
        self._store.start(started)
        self._store.directory.enter(owner, started)
        self._known.add(started.session_id)

    def summary(self, session_id: str) -> SessionSummary | None:
        """Return a session's result so far, or None where there is no such session."""
        state = self._read(session_id)
        return None if state is None else build_summary(state)

    def gone(self, session_id: str) -> bool:
        """Return whether a session that was here is not any more: it was erased, or its time is over."""
        return self._read(session_id) is None and session_id in self._known

    def erase(self, session_id: str) -> Receipt:
        """Erase everything about a session; it does not come back with late scores."""
        return self._store.erase(session_id)

    def result(self, session_id: str) -> SessionResult:
        """Wait until every chunk of a session is accounted for, and return its result.

        Where nothing more comes for a minute, the result is returned as it is: its status and accounting tell.

        Raises:
            SessionError: If there is no such session; at once where it was erased.
        """
        last, news_at = "0", monotonic()
        while True:
            state = self._read(session_id)
            done = session_id in self._known if state is None else state.phase is Phase.COMPLETE
            if done or monotonic() - news_at >= _STALL_S:
                break
            events, last = self._store.wait_for_event(session_id, last, _LOOK_EVERY_S)
            news_at = monotonic() if events else news_at
        if state is None:
            raise SessionError(f"There is no session {session_id}.")
        return build_result(state, self._store.timeline(session_id), self._store.evidence(session_id))

    def export(self, session_id: str) -> EvidenceExport:
        """Return the evidence that a session's result stands on.

        Raises:
            SessionError: If there is no such session.
        """
        state = self._store.read(session_id)
        if state is None:
            raise SessionError(f"There is no session {session_id}.")
        return export_of(state, self._store.evidence(session_id))

    def _read(self, session_id: str) -> SessionState | None:
        state = self._store.read(session_id)
        if state is not None:
            self._known.add(session_id)
        return state
