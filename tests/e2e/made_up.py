"""Sessions made up in the store, and the dashboard over them: no model and no broker is needed to look at a page."""

import json
import math
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page, expect

from services.fusion.store import SessionStore
from shared.emotions import EMOTIONS, MODALITIES, Emotion, Modality, as_mapping, mood_of
from shared.messages import (
    AudioDetails,
    FaceBox,
    FaceDetails,
    ModalityScore,
    ModelRef,
    SessionEnded,
    Status,
    TextDetails,
    Word,
)
from shared.sessions import new_session

READY_MS: Final = 60_000
UTTERANCE_S: Final = 10
FRAME_S: Final = 2
_BATCH: Final = 500


def _words(at_s: int) -> tuple[Word, ...]:
    effects = {"A": 0.0, "happy": 0.8, "second": -0.2, f"{at_s}.": None}
    return tuple(Word(text=text, probability=0.9, effect=effect) for text, effect in effects.items())


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A session whose mood rises and falls."""

    store: SessionStore
    session_id: str
    token: str

    @classmethod
    def begin(
        cls, store: SessionStore, modalities: tuple[Modality, ...] = MODALITIES, baseline: float | None = None
    ) -> "MadeUp":
        """Begin one."""
        started, token = new_session(modalities, baseline=baseline)
        store.start(started)
        return cls(store, started.session_id, token)

    def go_on(self, start_s: int, end_s: int) -> None:
        """Add what is seen and said in a stretch: a frame every two seconds, an utterance every ten."""
        scores = [self.score(Modality.FACE, at // FRAME_S, at, 0) for at in range(start_s, end_s, FRAME_S)]
        for at in range(start_s, end_s, UTTERANCE_S):
            scores += [self.score(each, at // UTTERANCE_S, at, 4) for each in (Modality.TEXT, Modality.AUDIO)]
        for first in range(0, len(scores), _BATCH):
            self.store.apply(scores[first : first + _BATCH])

    def end(self, duration_s: int) -> None:
        """End it, with all of it accounted for."""
        speech, frames = -(-duration_s // UTTERANCE_S), -(-duration_s // FRAME_S)
        ended = SessionEnded(session_id=self.session_id, duration_s=duration_s, speech_chunks=speech, frames=frames)
        self.store.end(ended)

    def score(self, modality: Modality, seq: int, at_s: int, length_s: float) -> ModalityScore:
        """Return one score."""
        joy = 0.45 + 0.4 * math.sin(at_s / 300)
        distribution = [{Emotion.JOY: joy, Emotion.SADNESS: 0.9 - joy}.get(each, 0.02) for each in EMOTIONS]
        details = {
            Modality.TEXT: TextDetails(transcript=f"A happy second {at_s}.", language="en", words=_words(at_s)),
            Modality.AUDIO: AudioDetails(energy_db=30 + seq % 7, pitch_hz=170 + 10 * (seq % 5)),
            Modality.FACE: FaceDetails(faces=(FaceBox(x=0.4, y=0.2, width=0.2, height=0.3, confidence=1, main=True),)),
        }
        return ModalityScore(
            session_id=self.session_id, modality=modality, seq=seq, start_s=at_s, end_s=at_s + length_s,
            status=Status.SCORED, mood=float(mood_of(distribution)), distribution=as_mapping(distribution),
            confidence=0.6, quality=0.8, details=details[modality],
            model=ModelRef(name=f"mien-{modality}", version="1"),
        )  # fmt: skip


def show(page: Page, address: str, session: MadeUp, *, drawn: bool = True) -> None:
    """Open a session on the page as somebody who has its token, and wait for its timeline where one is drawn."""
    tokens = json.dumps({session.session_id: session.token})
    page.goto(address)
    page.evaluate("tokens => localStorage.setItem('mien.tokens', tokens)", tokens)
    page.goto(f"{address}/#/s/{session.session_id}")
    if drawn:
        expect(page.locator("#timeline .scatterlayer .trace").first).to_be_attached(timeout=READY_MS)
