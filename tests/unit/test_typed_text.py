"""Typed text as a message, as evidence that may be lost, and beside spoken words."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.request import urlopen

import pytest

from services.fusion.intake import operation_of_dead
from services.fusion.state import Loss, Outcome
from services.text.worker import read_words
from shared.broker.amqp import FirstDeath
from shared.broker.port import Cause
from shared.emotions import Modality
from shared.errors import UndecodableMessageError
from shared.health import HealthServer
from shared.messages.typed import FIRST_TYPED_SEQ, MAX_TYPED_CHARACTERS, TypedText, spoken_s
from shared.scoring import TypedWindow


def typed(media: bytes = b"I am glad.") -> TypedText:
    return TypedText(
        session_id="session-typed",
        media=media,
        seq=FIRST_TYPED_SEQ + 1,
        start_s=2.0,
        end_s=3.2,
        captured_at=datetime.now(UTC),
    )


def test_it_travels_as_plain_text() -> None:
    message = typed("Schön!".encode()).to_message()
    assert (message.body.decode(), message.content_type) == ("Schön!", "text/plain; charset=utf-8")
    assert TypedText.from_message(message) == typed("Schön!".encode()).model_copy(
        update={"captured_at": TypedText.from_message(message).captured_at}
    )
    chunk, window = read_words(message)
    assert (chunk.seq, window) == (FIRST_TYPED_SEQ + 1, TypedWindow(session_id="session-typed", text="Schön!"))


def test_it_cannot_end_before_it_begins() -> None:
    message = typed().to_message()
    with pytest.raises(UndecodableMessageError):
        read_words(replace(message, headers={**message.headers, "end_s": 1.0}))


def test_what_is_not_utf_8_is_dead_lettered_and_counted() -> None:
    message = typed(b"\xff\xfe").to_message()
    with pytest.raises(UndecodableMessageError):
        read_words(message)
    assert operation_of_dead(message, FirstDeath("mien.text", Cause.REJECTED)) == Loss(
        session_id="session-typed",
        modality=Modality.TEXT,
        seq=FIRST_TYPED_SEQ + 1,
        cause="rejected",
        outcome=Outcome.FAILED,
    )


def test_what_is_longer_than_can_be_typed_is_undecodable() -> None:
    longest = "é" * MAX_TYPED_CHARACTERS
    assert read_words(typed(longest.encode()).to_message())[1] == TypedWindow(session_id="session-typed", text=longest)
    with pytest.raises(UndecodableMessageError, match="10000"):
        read_words(typed(b"a" * (MAX_TYPED_CHARACTERS + 1)).to_message())


@pytest.mark.parametrize(("words", "seconds"), [(1, 1.0), (10, 4.0), (500, 30.0)])
def test_it_weighs_as_much_as_if_it_had_been_said(words: int, seconds: float) -> None:
    assert spoken_s("word " * words) == pytest.approx(seconds)


def test_every_service_tells_its_figures() -> None:
    server = HealthServer("127.0.0.1", 0, healthy=lambda: True, ready=lambda: True)
    with server, urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        text = answer.read().decode()
    assert "# TYPE mien_queue_wait_seconds histogram" in text
    assert "# TYPE mien_broker_reconnects_total counter" in text
