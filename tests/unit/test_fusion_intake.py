"""What fusion makes of a dead letter."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from services.fusion.intake import operation_of, operation_of_dead
from services.fusion.state import Loss, Outcome
from shared.broker.port import Cause
from shared.emotions import Modality
from shared.errors import UndecodableMessageError
from shared.messages.frame import FrameChunk
from shared.messages.message import Message
from shared.messages.session import SessionEnded
from shared.sessions import refusal_of


@dataclass(frozen=True)
class Died:
    queue: str
    cause: Cause


def message(
    *, kind: str = "frame.chunk", body: bytes = b"jpeg", session: str = "session-0001", seq: int = 7
) -> Message:
    return Message(
        type=kind,
        body=body,
        content_type="image/jpeg",
        message_id="m",
        correlation_id=session,
        timestamp=datetime.now(UTC),
        headers={"seq": seq},
    )


@pytest.mark.parametrize(
    ("queue", "modality"),
    [(f"mien.{modality}{suffix}", modality) for modality in Modality for suffix in ("", ".retry")],
)
@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (Cause.EXPIRED, Outcome.EXPIRED),
        (Cause.MAXLEN, Outcome.EXPIRED),
        (Cause.REJECTED, Outcome.FAILED),
        (Cause.DELIVERY_LIMIT, Outcome.FAILED),
    ],
)
def test_a_dead_chunk_is_lost_to_the_queue_it_died_in(
    queue: str, modality: Modality, cause: Cause, outcome: Outcome
) -> None:
    lost = Loss(session_id="session-0001", modality=modality, seq=7, cause=cause.value, outcome=outcome)
    assert operation_of_dead(message(), Died(queue, cause)) == lost


def test_a_dead_score_is_lost_as_far_as_it_can_be_read() -> None:
    died = Died("mien.fusion", Cause.REJECTED)
    body = b'{"session_id": "session-0001", "modality": "face", "seq": 3, "status": "guessed"}'
    lost = operation_of_dead(message(kind="score", body=body), died)
    assert lost == Loss(
        session_id="session-0001", modality=Modality.FACE, seq=3, cause="rejected", outcome=Outcome.FAILED
    )
    assert operation_of_dead(message(kind="score", body=body, session="session-0002"), died) is None
    assert operation_of_dead(message(kind="score", body=b"{"), died) is None


def test_a_message_of_fusion_that_died_of_deliveries_is_kept_after_all() -> None:
    ended = SessionEnded(session_id="session-0001", duration_s=1, speech_chunks=0, frames=5)
    assert operation_of_dead(ended.to_message(), Died("mien.fusion", Cause.DELIVERY_LIMIT)) == ended


@pytest.mark.parametrize("odd", [message(session="../etc"), message(seq=-1)])
def test_a_stranger_belongs_to_no_session(odd: Message) -> None:
    assert operation_of_dead(odd, Died("mien.face", Cause.EXPIRED)) is None
    assert operation_of_dead(message(), None) is None


def test_media_is_not_for_the_fusion_queue() -> None:
    chunk = FrameChunk(session_id="session-0001", seq=0, at_s=0, captured_at=datetime.now(UTC), media=b"jpeg")
    with pytest.raises(UndecodableMessageError, match=r"frame\.chunk"):
        operation_of(chunk.to_message())


def test_work_and_school_are_refused_unless_medical_or_safety() -> None:
    assert refusal_of("medical") is None
    assert refusal_of("safety") is None
    refused = refusal_of("workplace")
    assert refused is not None
    assert "AI Act" in refused
