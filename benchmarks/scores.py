"""Scores as a face worker publishes them, for measuring what keeps them."""

from shared.emotions import EMOTIONS, Modality, mood_of
from shared.messages import FaceDetails, ModalityScore, ModelRef, Status


def face_score(session_id: str, seq: int, per_s: float) -> ModalityScore:
    """Return the score of one frame of a session with so many frames a second."""
    distribution = dict.fromkeys(EMOTIONS, 1 / len(EMOTIONS))
    return ModalityScore(
        session_id=session_id, modality=Modality.FACE, seq=seq, start_s=seq / per_s, end_s=seq / per_s,
        status=Status.SCORED, mood=float(mood_of([*distribution.values()])), distribution=distribution,
        confidence=0.5, quality=0.8, details=FaceDetails(), model=ModelRef(name="face", version="1"),
    )  # fmt: skip
