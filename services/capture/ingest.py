"""The agent inside another process: what comes over HTTP goes the way that everything captured goes."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread

from services.capture.agent import Agent, Progress
from services.capture.sources.file import FileSource
from services.capture.sources.push import PushSource
from shared.broker.port import Broker
from shared.errors import MienError
from shared.messages.session import SessionStarted
from shared.sessions import hears, sees

logger = logging.getLogger(__name__)

OnProgress = Callable[[float, float | None], None]


class BrokerIngest:
    """Runs an agent for each recording and each live session, publishing to one broker.

    Args:
        broker: Where everything goes; its topology must be declared.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def recording(self, started: SessionStarted, media: bytes, on_progress: OnProgress) -> Callable[[], None]:
        """Open a recording in memory, and return what sends it to its end when called.

        Args:
            started: The session.
            media: The whole file.
            on_progress: Told the seconds read, and the length where it is known.

        Raises:
            BadInputError: If it is not media that can be read.
        """
        agreed = started.modalities
        source = FileSource(media, audio=hears(agreed), video=sees(agreed))

        def tell(progress: Progress) -> None:
            on_progress(progress.done_s, progress.duration_s)

        agent = Agent(self._broker, started, on_progress=tell, live=False)
        return lambda: _discard(agent.run(source))

    def live(self, started: SessionStarted) -> "LiveAgent":
        """Begin to take a session that happens now: its seconds count from here, not from when it was created."""
        return LiveAgent(self._broker, started.model_copy(update={"started_at": datetime.now(UTC)}))


class LiveAgent:
    """An agent that is fed from outside; it reads on a thread of its own.

    Args:
        broker: Where everything goes.
        started: The session.
    """

    def __init__(self, broker: Broker, started: SessionStarted) -> None:
        agreed = started.modalities
        self._session_id = started.session_id
        self._source = PushSource(has_audio=hears(agreed), has_video=sees(agreed))
        self._agent = Agent(broker, started, live=True)
        self._ended = False
        self._failure: MienError | None = None
        self._thread = Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def hear(self, at_s: float, pcm: bytes) -> None:
        """Take the next sound; see :meth:`PushSource.hear`.

        Raises:
            MienError: If the session has ended, or could not go on.
        """
        self._check_open()
        self._source.hear(at_s, pcm)

    def see(self, at_s: float, jpeg: bytes) -> None:
        """Take a picture; see :meth:`PushSource.see`.

        Raises:
            MienError: As :meth:`hear` does.
        """
        self._check_open()
        self._source.see(at_s, jpeg)

    def end(self) -> None:
        """End the session, and wait until everything is sent; again is harmless.

        Raises:
            MienError: If the broker did not take it, or the session could not go on.
        """
        if not self._ended:
            self._ended = True
            self._source.end()
        self._thread.join()
        self._check()

    def _check_open(self) -> None:
        self._check()
        if self._ended:
            raise MienError("The session has ended; begin another one.")

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._agent.run(self._source)
        except MienError as error:
            self._failure = error
            logger.warning("live session failed", extra={"session_id": self._session_id, "error": str(error)})
        except Exception:
            self._failure = MienError("The service could not go on with the session; create another one.")
            logger.exception("live session failed", extra={"session_id": self._session_id})
        self._drop()

    def _drop(self) -> None:
        """Read on without use, so that whoever feeds it does not wait for ever."""
        for _ in self._source:
            continue


def _discard(_: object) -> None:
    """Give nothing back."""
