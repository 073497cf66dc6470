"""The sessions that the contract of the store speaks of."""

import hashlib
from datetime import UTC, datetime

from services.fusion.state import Loss, Outcome
from services.fusion.store import SessionStore
from shared.emotions import EMOTIONS, MODALITIES, Emotion, Modality, as_mapping, mood_of
from shared.messages.details import AudioDetails, FaceDetails, TextDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded, SessionForget, SessionStarted

TOKEN = "a-token-of-this-test"
DETAILS = {
    Modality.TEXT: TextDetails(transcript="good morning"),
    Modality.AUDIO: AudioDetails(),
    Modality.FACE: FaceDetails(),
}


def started(session_id: str, token: str = TOKEN, retention_s: int = 3600) -> SessionStarted:
    return SessionStarted(
        session_id=session_id,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        consent=True,
        purpose="personal",
        retention_s=retention_s,
        modalities=MODALITIES,
        agent_version="test",
        started_at=datetime.now(UTC),
    )


def ended(session_id: str, speech_chunks: int = 0, frames: int = 0) -> SessionEnded:
    return SessionEnded(session_id=session_id, duration_s=60, speech_chunks=speech_chunks, frames=frames)


def score(session_id: str, modality: Modality, seq: int, start_s: float, length_s: float = 0.0) -> ModalityScore:
    distribution = [0.7 if emotion is Emotion.JOY else 0.05 for emotion in EMOTIONS]
    return ModalityScore(
        session_id=session_id,
        modality=modality,
        seq=seq,
        start_s=start_s,
        end_s=start_s + length_s,
        status=Status.SCORED,
        mood=float(mood_of(distribution)),
        distribution=as_mapping(distribution),
        confidence=0.7,
        quality=0.8,
        details=DETAILS[modality],
        model=ModelRef(name="mien-model", version="1"),
    )


def abstention(session_id: str, modality: Modality, seq: int, reason: str) -> ModalityScore:
    return ModalityScore(
        session_id=session_id,
        modality=modality,
        seq=seq,
        start_s=seq,
        end_s=seq,
        status=Status.ABSTAINED,
        reason=reason,
        details=DETAILS[modality],
        model=ModelRef(name="mien-model", version="1"),
    )


def failure(session_id: str, modality: Modality, seq: int, reason: str) -> ModalityScore:
    return abstention(session_id, modality, seq, reason).model_copy(update={"status": Status.FAILED})


def loss(session_id: str, seq: int, outcome: Outcome, cause: str = "maxlen") -> Loss:
    return Loss(session_id=session_id, modality=Modality.FACE, seq=seq, cause=cause, outcome=outcome)


def forget(session_id: str, start_s: float, end_s: float) -> SessionForget:
    return SessionForget(session_id=session_id, start_s=start_s, end_s=end_s)


def known(store: SessionStore, session_id: str) -> tuple[object, ...]:
    """Return all that a result is built from."""
    state = store.read(session_id)
    assert state is not None
    timeline = [(each.index, dict(each.sums)) for each in store.timeline(session_id)]
    evidence = [(each.modality, each.seq) for each in store.evidence(session_id)]
    return state.sums, state.counts, state.phase, timeline, evidence
