"""The wire form of a message: what is sent comes back, and what is foreign never breaks the reader."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.broker.amqp import EPOCH, FirstDeath, first_death, from_properties, to_properties
from shared.broker.port import Cause
from shared.messages.message import Message

Headers = dict[str, Any]

SHORT = st.text(max_size=60)
HEADERS = st.dictionaries(
    SHORT.filter(lambda name: not name.startswith("x-")),
    st.text() | st.booleans() | st.integers(min_value=-(2**63), max_value=2**63 - 1),
    max_size=5,
)
MESSAGES = st.builds(
    Message,
    type=SHORT,
    body=st.binary(),
    content_type=SHORT,
    message_id=SHORT,
    correlation_id=SHORT,
    timestamp=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    headers=HEADERS,
    expiration_ms=st.none() | st.integers(min_value=0, max_value=2**32),
)


def travel(properties: pika.BasicProperties) -> pika.BasicProperties:
    return pika.BasicProperties().decode(b"".join(properties.encode()))


@given(MESSAGES)
def test_a_message_comes_back_as_it_was_to_the_second(message: Message) -> None:
    received = from_properties(travel(to_properties(message)), message.body)
    assert received == replace(message, timestamp=message.timestamp.replace(microsecond=0))
    assert {n: type(v) for n, v in received.headers.items()} == {n: type(v) for n, v in message.headers.items()}


@given(st.floats(allow_nan=False))
def test_a_float_header_keeps_its_value_as_text(value: float) -> None:
    message = Message(
        type="t", body=b"", content_type="", message_id="", correlation_id="", timestamp=EPOCH, headers={"at": value}
    )
    assert float(from_properties(travel(to_properties(message)), b"").headers["at"]) == value


def test_a_message_is_persistent() -> None:
    message = Message(type="t", body=b"", content_type="", message_id="", correlation_id="", timestamp=EPOCH)
    assert to_properties(message).delivery_mode == 2


def test_an_empty_foreign_message_becomes_empty_strings_at_the_epoch() -> None:
    assert from_properties(pika.BasicProperties(), b"body") == Message(
        type="", body=b"body", content_type="", message_id="", correlation_id="", timestamp=EPOCH
    )


@pytest.mark.parametrize("timestamp", [2**63, 2**64 - 1])
def test_an_impossible_time_is_the_epoch(timestamp: int) -> None:
    assert from_properties(travel(pika.BasicProperties(timestamp=timestamp)), b"").timestamp == EPOCH


def test_only_plain_headers_that_are_not_the_brokers_are_kept() -> None:
    headers: Headers = {
        "a": 1,
        "b": "text",
        "c": [1],
        "d": {"e": 1},
        "f": None,
        "g": EPOCH,
        "h": b"\xff",
        "x-anything": "text",
    }
    assert from_properties(travel(pika.BasicProperties(headers=headers)), b"").headers == {"a": 1, "b": "text"}


def test_text_that_is_not_utf8_is_empty() -> None:
    properties = pika.BasicProperties().decode(
        b"".join(pika.BasicProperties(type="ab", expiration="soon").encode()).replace(b"ab", b"\xff\xfe")
    )
    message = from_properties(properties, b"")
    assert (message.type, message.expiration_ms) == ("", None)


@pytest.mark.parametrize("cause", Cause)
def test_the_first_death_is_read(cause: Cause) -> None:
    headers = {"x-first-death-queue": "work", "x-first-death-reason": cause.value}
    assert first_death(travel(pika.BasicProperties(headers=headers))) == FirstDeath("work", cause)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"x-first-death-queue": "work"},
        {"x-first-death-queue": "work", "x-first-death-reason": "boredom"},
        {"x-first-death-queue": "work", "x-first-death-reason": [1]},
        {"x-first-death-queue": 5, "x-first-death-reason": "expired"},
    ],
)
def test_what_is_no_death_is_none(headers: Headers | None) -> None:
    assert first_death(pika.BasicProperties(headers=headers)) is None
