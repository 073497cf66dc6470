"""The agent: from a source to published chunks, for one session."""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.capture.framing import FramerConfig, Utterance, VoiceActivity
from services.capture.hearing import Hearing
from services.capture.parcels import frame_parcel, speech_parcel
from services.capture.publisher import Publisher
from services.capture.settings import CaptureSettings
from services.capture.sources.port import AudioBlock, Source, Tick, VideoFrame
from services.capture.status import CaptureStatus
from services.capture.stillness import Stillness
from services.capture.vad import SileroVad
from shared.broker.port import Broker
from shared.emotions import MODALITIES
from shared.errors import BrokerError, PublishError
from shared.messages.session import SessionEnded, SessionForget, SessionStarted
from shared.messages.speech import SpeechChunk
from shared.sessions import hears, sees
from shared.stopping import Stop
from shared.topology import LIVE_FRAME_EXPIRATION_MS, MEDIA_QUEUES, SPEECH_KEYS, SPEECH_READERS

logger = logging.getLogger(__name__)

_PROGRESS_EVERY_S: Final = 0.25
_LAST_FRAME_S: Final = 1.0
"""How far a recording may go on after its last sampled frame or sound and still be over at its stated length."""

_MOMENT_S: Final = 0.001
"""A stretch that is forgotten reaches beyond the newest frame by this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a session has come.

    Attributes:
        done_s: Seconds of media read.
        duration_s: Seconds of media in all, or None where nobody knows.
        speech_chunks: Speech chunks sent.
        frames: Frames sent.
    """

    done_s: float
    duration_s: float | None
    speech_chunks: int
    frames: int


class Agent:
    """Runs one session: announces it, cuts and samples what the person agreed to, publishes, and closes the account.

    :meth:`stop` may also be called from a signal handler; the other methods from any thread.

    Args:
        broker: Where everything goes; its topology must be declared.
        started: The session; its modalities say what may be read and where it goes.
        on_progress: Called on the thread of :meth:`run`, about every quarter of a second of media and at the end.
        live: Whether it happens now. Then nothing waits: frames expire, and what finds no room while the broker is away
            is dropped and counted. A recording waits for the broker and the workers instead.
        voice_activity: Judges windows of sound; Silero VAD where it is left out.
        settings: Bounds and lengths; from the environment where they are left out.
    """

    def __init__(
        self,
        broker: Broker,
        started: SessionStarted,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        live: bool,
        voice_activity: VoiceActivity | None = None,
        settings: CaptureSettings | None = None,
    ) -> None:
        settings = settings or CaptureSettings()
        agreed = frozenset(started.modalities)
        self._started = started
        self._on_progress = on_progress
        self._live = live
        self._hears, self._sees = hears(agreed), sees(agreed)
        self._queues = [MEDIA_QUEUES[modality] for modality in MODALITIES if modality in agreed]
        speech_key = SPEECH_KEYS.get(agreed & SPEECH_READERS, SpeechChunk.TYPE)
        self._publisher = Publisher(broker, settings, speech_key, live=live)
        self._hearing = Hearing(
            voice_activity or SileroVad(), FramerConfig(pause_s=settings.pause_s, max_s=settings.max_chunk_s)
        )
        self._stillness = Stillness(settings.still_s) if live else None
        self._keep_minutes = settings.keep_minutes
        self._source: Source | None = None
        self._preview: NDArray[np.uint8] | None = None
        self._stop = Stop()
        self._paused = False
        self._muted = False
        self._forgets: deque[float] = deque()
        self._forgotten_s = 0.0
        self._may_forget = True
        self._announced = False
        self._done_s = 0.0
        self._told_s = 0.0

    def stop(self) -> None:
        """End the session soon: what was said so far is still sent. For any thread, and for signal handlers."""
        self._stop.set()

    def pause(self) -> None:
        """Record nothing from now on; what was being said is sent, and session time goes on."""
        self._paused = True

    def resume(self) -> None:
        """Record again."""
        self._paused = False

    def mute(self, muted: bool) -> None:  # noqa: FBT001  (it names what it sets)
        """Record no sound from now on, or record it again; what was being said is sent."""
        self._muted = muted

    @property
    def announced(self) -> bool:
        """Whether the broker has taken the session; before that nothing is recorded."""
        return self._announced

    @property
    def may_forget(self) -> bool:
        """Whether :meth:`forget` still does something: it does until the session's account is closed."""
        return self._may_forget

    def forget(self, seconds: float) -> bool:
        """Take back the last stretch: what was not sent is dropped and counted, of what was sent the broker is told.

        Returns:
            Whether that happens; False where it comes too late.
        """
        self._forgets.append(max(0.0, self._done_s - seconds))
        return self._may_forget  # looked at last, so that True is never said of what the end has not seen

    def preview(self) -> NDArray[np.uint8] | None:
        """Return the frame last sent, RGB, uint8 array of shape (height, width, 3); None before the first or paused."""
        return None if self._paused else self._preview

    def status(self) -> CaptureStatus:
        """Return how the session stands now."""
        source = self._source
        silent = self._paused or self._muted
        return CaptureStatus(
            elapsed_s=self._done_s,
            level_dbfs=None if silent else self._hearing.level_dbfs,
            speaking=not silent and self._hearing.speaking,
            paused=self._paused,
            muted=self._muted,
            link=self._publisher.link,
            keep_minutes=self._keep_minutes,
            speech=self._publisher.speech,
            frames=self._publisher.frames,
            problem=None if source is None else source.problem,
        )

    def run(self, source: Source) -> SessionEnded:
        """Read a source to its end, or until :meth:`stop`. An agent runs once.

        Returns:
            What was told to the broker last; its counts are of what the broker has confirmed.

        Raises:
            BadInputError: If the source cannot be read.
            BrokerError: If the broker refuses a message, after which the session is ended with the counts so far; or
                if it does not answer in time.
        """
        self._source = source
        self._publisher.tell(self._started.to_message())
        self._publisher.drain()
        self._announced = True
        try:
            with _closing(iter(source)) as items:
                self._read(items, source)
            self._take_back_all()
            self._send_speech(self._hearing.close())
            self._publisher.drain()
        except BaseException as error:
            if isinstance(error, PublishError) or not isinstance(error, BrokerError):
                with suppress(BrokerError):
                    self._end(source)
            raise
        return self._end(source)

    def _read(self, items: Iterator[AudioBlock | VideoFrame | Tick], source: Source) -> None:
        for item in items:
            if self._stop.is_set():
                return
            self._done_s = max(self._done_s, item.end_s)
            self._take_back_all()
            self._take(item)
            if not self._live:
                self._publisher.wait_for_workers(self._queues, self._stop)
            if self._done_s - self._told_s >= _PROGRESS_EVERY_S:
                self._tell(source)

    def _take(self, item: AudioBlock | VideoFrame | Tick) -> None:
        if self._paused or self._muted:
            self._send_speech(self._hearing.close())
        if self._paused:
            return
        if isinstance(item, VideoFrame):
            self._see(item)
        elif isinstance(item, AudioBlock) and self._hears and not self._muted:
            # An utterance that reached into what is forgotten would be forgotten as a whole.
            block = item.since(self._forgotten_s)
            self._send_speech(self._hearing.hear(block) if block is not None else [])

    def _see(self, frame: VideoFrame) -> None:
        if not self._sees or not (self._stillness is None or self._stillness.is_new(frame.at_s, frame.image)):
            return
        self._preview = frame.image
        expiration_ms = LIVE_FRAME_EXPIRATION_MS if self._live else None
        self._publisher.show(frame_parcel(self._started, frame, datetime.now(UTC), expiration_ms))

    def _send_speech(self, utterances: list[Utterance]) -> None:
        for utterance in utterances:
            self._publisher.say(speech_parcel(self._started, utterance, self._captured_at(utterance)))

    def _take_back_all(self) -> None:
        while self._forgets:
            self._take_back(self._forgets.popleft())

    def _take_back(self, start_s: float) -> None:
        """Forget from a moment on: also what is being said now, for it may have begun before."""
        self._forgotten_s = end_s = self._done_s + _MOMENT_S
        self._preview = None
        self._hearing.discard()
        self._publisher.forget(start_s, end_s)
        session_id, traceparent = self._started.session_id, self._started.traceparent
        forget = SessionForget(session_id=session_id, traceparent=traceparent, start_s=start_s, end_s=end_s)
        self._publisher.tell(forget.to_message())

    def _captured_at(self, utterance: Utterance) -> datetime:
        """Return when the last sample was captured: live, the sound since then has taken its own time."""
        since_s = max(0.0, self._done_s - utterance.end_s) if self._live else 0.0
        return datetime.now(UTC) - timedelta(seconds=since_s)

    def _end(self, source: Source) -> SessionEnded:
        with suppress(BrokerError):
            self._publisher.drain()
        self._may_forget = False
        self._take_back_all()
        ended = SessionEnded(
            session_id=self._started.session_id,
            traceparent=self._started.traceparent,
            duration_s=self._duration_s(source),
            speech_chunks=self._publisher.speech.sent,
            frames=self._publisher.frames.sent,
        )
        self._publisher.tell(ended.to_message())
        self._publisher.drain()
        self._tell(source)
        logger.info(
            "session ended",
            extra={"session_id": ended.session_id, "speech_chunks": ended.speech_chunks, "frames": ended.frames},
        )
        return ended

    def _duration_s(self, source: Source) -> float:
        stated_s = source.duration_s
        if self._stop.is_set() or stated_s is None or not 0 <= stated_s - self._done_s <= _LAST_FRAME_S:
            return self._done_s
        return stated_s

    def _tell(self, source: Source) -> None:
        self._told_s = self._done_s
        if self._on_progress is None:
            return
        speech, frames = self._publisher.speech, self._publisher.frames
        self._on_progress(
            Progress(
                done_s=self._done_s,
                duration_s=source.duration_s,
                speech_chunks=speech.sent + speech.waiting,
                frames=frames.sent + frames.waiting,
            )
        )


@contextmanager
def _closing(items: Iterator[AudioBlock | VideoFrame | Tick]) -> Iterator[Iterator[AudioBlock | VideoFrame | Tick]]:
    """Let go of microphone and camera at the end, however it comes."""
    try:
        yield items
    finally:
        if isinstance(items, Generator):
            items.close()
