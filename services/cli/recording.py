"""A session under way: the agent on a thread of its own, and what a person may see of it and do to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.capture.agent import Agent
from services.capture.sources.port import Source
from services.cli.readout import Readout
from services.cli.view import View, face_seen
from services.fusion.schema import SessionSummary
from services.fusion.state import Phase
from shared.messages.session import SessionEnded

FORGET_S: Final = 60.0
ENDED_ELSEWHERE: Final = "The session was ended elsewhere; nothing more is recorded."
DELETED_ELSEWHERE: Final = "The session was deleted elsewhere; nothing of it is left."
_NEWS_EVERY_S: Final = 1.0
_NOTICE_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a session ended.

    Attributes:
        ended: What was told to the broker last.
        deleted: Whether the person wants everything about it deleted.
        elsewhere: Whether somebody ended or deleted it elsewhere, in the dashboard for example.
    """

    ended: SessionEnded
    deleted: bool
    elsewhere: bool = False


class Recording:
    """Runs an agent, and takes single keys; everything but :meth:`stop` is for one thread.

    Args:
        agent: Runs the session.
        source: What it reads.
        readout: Where the mood comes from.
        live: Whether it happens now; a recording cannot be paused and knows its length.
        remote: Whether it goes to a broker elsewhere; otherwise everything is judged in this process.
    """

    def __init__(self, agent: Agent, source: Source, readout: Readout, *, live: bool, remote: bool) -> None:
        self._agent = agent
        self._source = source
        self._readout = readout
        self._live = live
        self._remote = remote
        self._thread = Thread(target=self._run, name="agent", daemon=True)
        self._ended: SessionEnded | None = None
        self._failure: BaseException | None = None
        self._stops = 0
        self._asks = False
        self._deleted = False
        self._elsewhere = False
        self._notice: tuple[str, float] | None = None
        self._summary: SessionSummary | None = None
        self._face: bool | None = None
        self._news_at = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the session soon; for any thread, and for signal handlers."""
        self._stops += 1
        self._agent.stop()

    @property
    def stops(self) -> int:
        """How often it was told to end."""
        return self._stops

    def wait(self, timeout_s: float) -> bool:
        """Wait at most so many seconds, and return whether the session is over."""
        self._thread.join(timeout_s)
        return self.over

    @property
    def over(self) -> bool:
        """Whether the session is over."""
        return not self._thread.is_alive()

    @property
    def keys(self) -> Mapping[str, str]:
        """What may be pressed now, and what it does."""
        if self._stops:
            return {}
        status = self._agent.status()
        keys: dict[str, str] = {}
        if self._live:
            keys["p"] = "go on" if status.paused else "pause"
            if self._source.has_audio:
                keys["m"] = "sound on" if status.muted else "mute"
        if self._agent.may_forget:
            keys["f"] = "forget the last minute"
        if self._readout.can_erase:
            keys["d"] = "delete the session"
        return {**keys, "q": "end"}

    def press(self, key: str) -> None:
        """Do what a key stands for; any other one is passed over."""
        if self._asks:
            self._asks = False
            if key == "y":
                self._deleted = True
                self.stop()
            return
        if key in self.keys:
            self._act(key)

    def look(self) -> View:
        """Return how the session stands."""
        self._hear_news()
        if self._notice is not None and monotonic() > self._notice[1]:
            self._notice = None
        return View(
            status=self._agent.status(),
            hears=self._source.has_audio,
            sees=self._source.has_video,
            remote=self._remote,
            total_s=None if self._live else self._source.duration_s,
            summary=self._summary,
            face=self._face,
            note=self._readout.note,
            notice=self._notice[0] if self._notice else None,
            asks=self._asks,
            keys=self.keys,
            ending=self._stops > 0,
        )

    def preview(self) -> NDArray[np.uint8] | None:
        """Return the picture that was sent last, RGB, uint8 array of shape (height, width, 3); None without one."""
        return self._agent.preview()

    def outcome(self) -> Outcome:
        """Return how the session ended, once it is over.

        Raises:
            MienError: What the agent failed with.
        """
        self._thread.join()
        if self._ended is None:
            raise self._failure or RuntimeError("the agent ended without a word")
        return Outcome(ended=self._ended, deleted=self._deleted, elsewhere=self._elsewhere)

    def _run(self) -> None:
        try:
            self._ended = self._agent.run(self._source)
        except BaseException as error:  # noqa: BLE001  (raised again by outcome, on the thread that waits)
            self._failure = error

    def _act(self, key: str) -> None:
        status = self._agent.status()
        if key == "p":
            (self._agent.resume if status.paused else self._agent.pause)()
        elif key == "m":
            self._agent.mute(not status.muted)
        elif key == "f":
            if self._agent.forget(FORGET_S):
                self._say("The last minute is forgotten: what was not sent yet is dropped, what was judged is erased.")
        elif key == "d":
            self._asks = True
        else:
            self.stop()

    def _say(self, sentence: str) -> None:
        self._notice = sentence, monotonic() + _NOTICE_S

    def _hear_news(self) -> None:
        if monotonic() - self._news_at < _NEWS_EVERY_S:
            return
        self._news_at = monotonic()
        latest = self._readout.latest()
        seen = face_seen(self._summary, latest)
        self._face = self._face if seen is None else seen
        self._summary = latest
        self._heed(latest)

    def _heed(self, latest: SessionSummary | None) -> None:
        """Record no more for a session that was ended or deleted elsewhere."""
        gone = self._readout.gone
        ended = latest is not None and latest.status is not Phase.LIVE
        # Asked last: the agent's own end is told to the broker only when nothing can be forgotten any more.
        if (gone or ended) and not self._stops and self._agent.may_forget:
            self._elsewhere = True
            self._say(DELETED_ELSEWHERE if gone else ENDED_ELSEWHERE)
            self.stop()
