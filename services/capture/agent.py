"""The agent: from a source to published chunks, for one session."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.capture.framing import Framer, FramerConfig, Utterance, VoiceActivity
from services.capture.publisher import Publisher
from services.capture.settings import CaptureSettings
from services.capture.sources.port import AudioBlock, Source, VideoFrame
from services.capture.vad import SileroVad
from shared.broker.port import Broker
from shared.emotions import MODALITIES, Modality
from shared.errors import BrokerError, PublishError
from shared.media.flac import encode_flac
from shared.media.jpeg import encode_jpeg
from shared.messages.frame import FrameChunk
from shared.messages.session import SessionEnded, SessionStarted
from shared.messages.speech import SpeechChunk
from shared.topology import LIVE_FRAME_EXPIRATION_MS, MEDIA_QUEUES, SPEECH_KEYS

logger = logging.getLogger(__name__)

_PROGRESS_EVERY_S: Final = 0.25
_LAST_FRAME_S: Final = 1.0
"""How far a recording may go on after its last sampled frame or sound and still be over at its stated length."""


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

    Args:
        broker: Where everything goes; its topology must be declared.
        started: The session; its modalities say what may be read and where it goes.
        on_progress: Called on the thread of :meth:`run`, about every quarter of a second of media and at the end.
        live: Whether it happens now. Frames of a live session expire; a recording waits for the workers instead.
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
        self._speech_key = SPEECH_KEYS.get(agreed - {Modality.FACE})
        self._sees = Modality.FACE in agreed
        self._queues = [MEDIA_QUEUES[modality] for modality in MODALITIES if modality in agreed]
        self._publisher = Publisher(broker, settings)
        self._framer = Framer(
            voice_activity or SileroVad(), FramerConfig(pause_s=settings.pause_s, max_s=settings.max_chunk_s)
        )
        self._stop = Event()
        self._speech_seq = 0
        self._frame_seq = 0
        self._done_s = 0.0
        self._told_s = 0.0

    def stop(self) -> None:
        """End the session soon: what was said so far is still sent. May be called from any thread, also a signal's."""
        self._stop.set()

    def run(self, source: Source) -> SessionEnded:
        """Read a source to its end, or until :meth:`stop`. An agent runs once.

        Returns:
            What was told to the broker last; its counts are of what the broker has confirmed.

        Raises:
            BadInputError: If the source cannot be read.
            BrokerError: If the broker refuses a message, after which the session is ended with the counts so far; or
                if it does not answer in time.
        """
        self._publisher.publish(SessionStarted.TYPE, self._started.to_message())
        self._publisher.drain()
        try:
            self._read(source)
            self._send_speech(self._framer.flush())
            self._publisher.drain()
        except BaseException as error:
            if isinstance(error, PublishError) or not isinstance(error, BrokerError):
                with suppress(BrokerError):
                    self._end(source)
            raise
        return self._end(source)

    def _read(self, source: Source) -> None:
        for item in source:
            if self._stop.is_set():
                return
            self._done_s = max(self._done_s, item.end_s)
            if isinstance(item, AudioBlock):
                self._hear(item.samples)
            else:
                self._see(item)
            if not self._live:
                self._publisher.wait_for_workers(self._queues, self._stop)
            if self._done_s - self._told_s >= _PROGRESS_EVERY_S:
                self._tell(source)

    def _hear(self, samples: NDArray[np.float32]) -> None:
        if self._speech_key is not None:
            self._send_speech(self._framer.push(samples))

    def _see(self, frame: VideoFrame) -> None:
        if not self._sees:
            return
        chunk = FrameChunk(
            session_id=self._started.session_id,
            traceparent=self._started.traceparent,
            media=encode_jpeg(frame.image),
            seq=self._frame_seq,
            at_s=frame.at_s,
            captured_at=datetime.now(UTC),
        )
        self._frame_seq += 1
        expiration_ms = LIVE_FRAME_EXPIRATION_MS if self._live else None
        self._publisher.publish(FrameChunk.TYPE, chunk.to_message(expiration_ms=expiration_ms))

    def _send_speech(self, utterances: list[Utterance]) -> None:
        if self._speech_key is None:
            return
        for utterance in utterances:
            chunk = SpeechChunk(
                session_id=self._started.session_id,
                traceparent=self._started.traceparent,
                media=encode_flac(utterance.samples),
                seq=self._speech_seq,
                start_s=utterance.start_s,
                end_s=utterance.end_s,
                captured_at=self._captured_at(utterance),
            )
            self._speech_seq += 1
            self._publisher.publish(self._speech_key, chunk.to_message())

    def _captured_at(self, utterance: Utterance) -> datetime:
        """Return when the last sample was captured: live, the sound since then has taken its own time."""
        since_s = max(0.0, self._done_s - utterance.end_s) if self._live else 0.0
        return datetime.now(UTC) - timedelta(seconds=since_s)

    def _end(self, source: Source) -> SessionEnded:
        with suppress(BrokerError):
            self._publisher.drain()
        ended = SessionEnded(
            session_id=self._started.session_id,
            traceparent=self._started.traceparent,
            duration_s=self._duration_s(source),
            speech_chunks=self._publisher.confirmed(SpeechChunk.TYPE),
            frames=self._publisher.confirmed(FrameChunk.TYPE),
        )
        self._publisher.publish(SessionEnded.TYPE, ended.to_message())
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
        if self._on_progress is not None:
            self._on_progress(
                Progress(
                    done_s=self._done_s,
                    duration_s=source.duration_s,
                    speech_chunks=self._speech_seq,
                    frames=self._frame_seq,
                )
            )
