"""Every contract survives its message, and refuses what is not its own."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.emotions import EMOTIONS, MODALITIES, Emotion, Modality
from shared.errors import UndecodableMessageError
from shared.messages import (
    FrameChunk,
    Judgement,
    Message,
    ModalityScore,
    ModelRef,
    SessionEnded,
    SessionForget,
    SessionStarted,
    SpeechChunk,
    Status,
    TextDetails,
    WireContract,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SESSION = "session-0001"
EVEN = dict.fromkeys(EMOTIONS, 1 / 7)

SPEECH = SpeechChunk(session_id=SESSION, seq=3, start_s=1.5, end_s=4.25, captured_at=NOW, media=b"fLaC")
FRAME = FrameChunk(session_id=SESSION, seq=9, at_s=1.8, captured_at=NOW, media=b"\xff\xd8", traceparent="00-ab-cd-01")
SCORE = ModalityScore(
    session_id=SESSION, modality=Modality.TEXT, seq=3, start_s=1.5, end_s=4.25, status=Status.SCORED, mood=3.2,
    distribution=EVEN, confidence=0.4, quality=0.9, details=TextDetails(transcript="good morning"),
    model=ModelRef(name="text", version="1"),
)  # fmt: skip
STARTED = SessionStarted(
    session_id=SESSION, token_sha256="0" * 64, consent=True, purpose="personal", modalities=MODALITIES,
    agent_version="1.0", started_at=NOW,
)  # fmt: skip
ENDED = SessionEnded(session_id=SESSION, duration_s=9.5, speech_chunks=4, frames=47)
FORGET = SessionForget(session_id=SESSION, start_s=1.5, end_s=61.5, traceparent="00-ab-cd-01")
CONTRACTS: list[WireContract] = [SPEECH, FRAME, SCORE, STARTED, ENDED, FORGET]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.TYPE)
def test_round_trip(contract: WireContract) -> None:
    assert type(contract).from_message(contract.to_message()) == contract


def test_media_travels_raw_with_its_metadata_in_the_headers() -> None:
    message = SPEECH.to_message()
    assert message.body == b"fLaC"
    assert message.correlation_id == SESSION
    assert message.headers == {
        "seq": 3, "start_s": 1.5, "end_s": 4.25, "captured_at": "2026-03-01T12:00:00.123456Z", "sample_rate_hz": 16_000,
    }  # fmt: skip


def test_trace_context_rides_in_the_headers() -> None:
    assert FRAME.to_message().headers["traceparent"] == "00-ab-cd-01"
    assert "traceparent" not in SPEECH.to_message().headers


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.TYPE)
@pytest.mark.parametrize("context", [7, "0" * 129])
def test_a_trace_context_that_cannot_be_used_costs_no_message(contract: WireContract, context: str | int) -> None:
    message = contract.to_message()
    read = type(contract).from_message(replace(message, headers={**message.headers, "traceparent": context}))
    assert read == contract.model_copy(update={"traceparent": None})
    assert type(contract).model_validate(dict(read)) == read


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.TYPE)
@pytest.mark.parametrize(
    "change", [{"type": "other"}, {"content_type": "text/plain"}, {"correlation_id": "x"}, {"body": b""}]
)
def test_foreign_message_is_refused(contract: WireContract, change: dict[str, Any]) -> None:
    with pytest.raises(UndecodableMessageError):
        type(contract).from_message(replace(contract.to_message(), **change))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", -1),
        ("seq", "three"),
        ("end_s", 1.0),
        ("end_s", 99.0),
        ("start_s", float("nan")),
        ("start_s", 1e300),
        ("sample_rate_hz", 8000),
    ],
)
def test_wrong_field_is_named(field: str, value: Any) -> None:
    message = SPEECH.to_message()
    with pytest.raises(UndecodableMessageError, match="wrong fields"):
        SpeechChunk.from_message(replace(message, headers={**message.headers, field: value}))


def test_fields_of_a_newer_sender_are_passed_over() -> None:
    message = SPEECH.to_message()
    newer = replace(message, headers={**message.headers, "loudness": 0.5})
    assert SpeechChunk.from_message(newer) == SPEECH


def test_json_body_of_another_session_is_refused() -> None:
    message = replace(ENDED.to_message(), correlation_id="session-0002")
    with pytest.raises(UndecodableMessageError):
        SessionEnded.from_message(message)


@given(st.binary(max_size=400), st.text(max_size=20), st.sampled_from([type(contract) for contract in CONTRACTS]))
def test_any_body_is_read_or_refused(body: bytes, session: str, contract: type[WireContract]) -> None:
    message = Message(
        type=contract.TYPE, body=body, content_type=contract.CONTENT_TYPE, message_id="1", correlation_id=session,
        timestamp=NOW, headers={},
    )  # fmt: skip
    with pytest.raises(UndecodableMessageError):
        contract.from_message(message)


@pytest.mark.parametrize("purpose", ["marketing", ""])
def test_unknown_purpose_is_refused(purpose: str) -> None:
    with pytest.raises(ValidationError):
        SessionStarted.model_validate({**STARTED.model_dump(), "purpose": purpose})


def test_session_without_consent_is_refused() -> None:
    with pytest.raises(ValidationError):
        SessionStarted.model_validate({**STARTED.model_dump(), "consent": False})


@pytest.mark.parametrize(
    "change",
    [
        {"mood": None},
        {"mood": 5.2},
        {"distribution": None},
        {"distribution": {Emotion.JOY: 1.0}},
        {"distribution": dict.fromkeys(EMOTIONS, 0.5)},
        {"status": Status.ABSTAINED, "reason": "no_words"},
        {"status": Status.ABSTAINED, "mood": None, "distribution": None},
    ],
)
def test_incomplete_judgement_is_refused(change: dict[str, Any]) -> None:
    fields = {"status": Status.SCORED, "mood": 3.0, "distribution": EVEN, "details": TextDetails()}
    Judgement.model_validate(fields)
    with pytest.raises(ValidationError):
        Judgement.model_validate({**fields, **change})


def test_score_with_the_details_of_another_modality_is_refused() -> None:
    with pytest.raises(ValidationError, match="another modality"):
        ModalityScore.model_validate({**SCORE.model_dump(), "modality": "face"})
