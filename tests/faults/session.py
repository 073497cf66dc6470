"""A session of the agent, whose part the test plays: what the broker has confirmed is what must be accounted for."""

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import numpy as np

from services.capture.framing import Framer
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from services.capture.vad import SileroVad
from shared.emotions import Modality
from shared.media.flac import encode_flac
from shared.media.jpeg import encode_jpeg
from shared.messages import FrameChunk, SessionEnded, SpeechChunk
from shared.messages.base import WireContract
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.sessions import new_session
from shared.topology import MEDIA_EXCHANGE, SPEECH_KEYS
from tests.e2e.command import SAMPLE
from tests.faults.system import PATIENCE_S, System

SPEECH_S: Final = 2.0
OUTCOMES: Final = ("scored", "abstained", "failed", "expired", "forgotten")


@cache
def speech() -> bytes:
    """Return the first seconds of what is said in the sample recording, as FLAC."""
    framer = Framer(SileroVad())
    for item in FileSource(SAMPLE, video=False):
        if isinstance(item, AudioBlock) and (said := framer.push(item.samples)):
            return encode_flac(said[0].samples[: int(SPEECH_S * SAMPLE_RATE_HZ)])
    raise AssertionError("nothing is said in the sample")


@cache
def picture() -> bytes:
    """Return a picture without a face as JPEG."""
    return encode_jpeg(np.full((120, 160, 3), 90, dtype=np.uint8))


class Session:
    """Publishes one session to the system.

    Args:
        system: The system.
        modalities: What is agreed to.
    """

    def __init__(self, system: System, *modalities: Modality) -> None:
        self._system = system
        self.modalities = modalities
        self.started, self.token = new_session(modalities)
        self.id = self.started.session_id
        self.headers = {"Authorization": f"Bearer {self.token}"}
        self.path = f"/v1/sessions/{self.id}"
        self.confirms: list[Future[None]] = []
        self._sent = {SpeechChunk.TYPE: 0, FrameChunk.TYPE: 0}
        self._publish(self.started.TYPE, self.started)

    def speak(self, count: int) -> None:
        """Publish so many chunks of speech, without waiting for confirms."""
        key = SPEECH_KEYS[frozenset(self.modalities) - {Modality.FACE}]
        for seq in self._next(SpeechChunk.TYPE, count):
            span = {"start_s": seq * SPEECH_S, "end_s": (seq + 1) * SPEECH_S}
            chunk = SpeechChunk(
                session_id=self.id, seq=seq, captured_at=datetime.now(UTC), media=speech(), **span
            )  # fmt: skip
            self.confirms.append(self._publish(key, chunk))

    def look(self, count: int, media: bytes | None = None) -> None:
        """Publish so many frames, without waiting for confirms; of a picture without a face where ``media`` is None."""
        for seq in self._next(FrameChunk.TYPE, count):
            chunk = FrameChunk(
                session_id=self.id, seq=seq, at_s=seq / 5, captured_at=datetime.now(UTC), media=media or picture()
            )
            self.confirms.append(self._publish(FrameChunk.TYPE, chunk))

    def send(self, count: int) -> None:
        """Publish so many chunks of all that is agreed to."""
        if set(self.modalities) - {Modality.FACE}:
            self.speak(count)
        if Modality.FACE in self.modalities:
            self.look(count)

    def account(self, sent: Mapping[str, int]) -> None:
        """State how many chunks of each type others have published in this session's name."""
        self._sent.update(sent)

    def published(self, modality: Modality) -> int:
        """Return how many chunks were published for a modality, confirmed or not."""
        return self._sent[FrameChunk.TYPE if modality is Modality.FACE else SpeechChunk.TYPE]

    def confirm(self) -> None:
        """Wait until the broker has taken everything."""
        for future in self.confirms:
            future.result(PATIENCE_S)

    def end(self) -> None:
        """Wait for the confirms, and close the account."""
        self.confirm()
        ended = SessionEnded(
            session_id=self.id,
            duration_s=60,
            speech_chunks=self._sent[SpeechChunk.TYPE],
            frames=self._sent[FrameChunk.TYPE],
        )
        self._publish(ended.TYPE, ended).result(PATIENCE_S)

    def read(self) -> dict[str, Any]:
        """Return the result so far, or nothing where the service does not tell."""
        answer = self._system.api.get(self.path, headers=self.headers)
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return found

    def accounted(self) -> int:
        """Return how many chunks are accounted for."""
        rows = self.read().get("accounting", {}).values()
        return sum(row.get(outcome, 0) for row in rows for outcome in OUTCOMES)

    def await_progress(self, count: int) -> None:
        """Wait until so many chunks are accounted for."""
        self._system.wait_until(lambda: self.accounted() >= count, lambda: f"{self.accounted()} of {count}")

    def complete(self) -> dict[str, Any]:
        """Wait until the session is complete, and return its result."""
        self._system.wait_until(lambda: self.read().get("status") == "complete", lambda: str(self.read()))
        return self.read()

    def check(self) -> None:
        """Hold the completed session to its account: everything confirmed was judged, and nothing twice."""
        result = self.complete()
        for modality in self.modalities:
            published = self.published(modality)
            row = result["accounting"][modality]
            assert row["published"] == published == sum(row.get(outcome, 0) for outcome in OUTCOMES), row
            assert row["scored"] + row["abstained"] == published, row
            path = f"{self.path}/evidence?modality={modality}&limit=1000"
            evidence = self._system.api.get(path, headers=self.headers).json()
            assert sorted(int(each["seq"]) for each in evidence["evidence"]) == list(range(published))

    def _next(self, message_type: str, count: int) -> range:
        first = self._sent[message_type]
        self._sent[message_type] += count
        return range(first, first + count)

    def _publish(self, key: str, contract: WireContract) -> "Future[None]":
        return self._system.broker.publish(MEDIA_EXCHANGE, key, contract.to_message())
