"""Malformed, truncated, oversized and replayed messages: each is booked once, and nobody falls."""

import random
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import pytest

from shared.emotions import Modality
from shared.messages import FrameChunk, Message, SpeechChunk
from shared.topology import MEDIA_EXCHANGE, SCORES_EXCHANGE
from tests.faults.session import OUTCOMES, Session, picture, speech
from tests.faults.system import LONG, PATIENCE_S, TIMEOUT_S, System, recovered

pytestmark = pytest.mark.timeout(TIMEOUT_S)

COUNT: Final = 100_000 if LONG else 2_000
AT_ONCE: Final = 500
"""Fewer than the queue of frames holds."""

Spoil = Callable[[random.Random, Message], Message]

SPOILT: Final[dict[str, Spoil]] = {
    "noise": lambda dice, sent: replace(sent, body=dice.randbytes(200)),
    "truncated": lambda dice, sent: replace(sent, body=sent.body[: dice.randrange(1, len(sent.body))]),
    "damaged": lambda dice, sent: replace(sent, body=_damaged(dice, sent.body)),
    "empty": lambda _, sent: replace(sent, body=b""),
    "oversized": lambda _, sent: replace(sent, body=sent.body + bytes(3 * 2**20)),
    "of another type": lambda _, sent: replace(sent, type="greeting"),
    "of another content type": lambda _, sent: replace(sent, content_type="text/html"),
    "from before time": lambda _, sent: replace(sent, headers={**sent.headers, "captured_at": "yesterday"}),
    "endless": lambda _, sent: replace(sent, headers={**sent.headers, "end_s": 1e308, "at_s": float("inf")}),
}
"""Their session and place can still be read: each is booked there, once."""

STRANGE: Final[dict[str, Spoil]] = {
    "of nobody": lambda _, sent: replace(sent, correlation_id=""),
    "without a place": lambda _, sent: replace(sent, headers={}),
    "at no place": lambda _, sent: replace(sent, headers={**sent.headers, "seq": -1}),
    "of a session with no such name": lambda _, sent: replace(sent, correlation_id="../../etc/passwd"),
}
"""Nobody can say whose they are: each is counted as a dead letter of nobody."""


def _damaged(dice: random.Random, body: bytes) -> bytes:
    spoilt = bytearray(body)
    for _ in range(20):
        spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
    return bytes(spoilt)


class Flood:
    """Publishes messages that are spoilt, and keeps what must become of them."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._dice = random.Random(9)  # noqa: S311  (nothing is secret)
        self.session = Session(system, Modality.AUDIO, Modality.FACE)
        self.places = {SpeechChunk.TYPE: 0, FrameChunk.TYPE: 0}
        self.strangers = 0

    def pour(self, count: int) -> None:
        """Publish so many spoilt messages, some of them twice, and wait for the confirms."""
        confirms: list[Future[None]] = []
        for _ in range(count):
            kind = self._dice.choice(list(self.places))
            sent = self._whole(kind)
            key = "speech.audio" if kind == SpeechChunk.TYPE else kind
            roll = self._dice.random()
            if roll < 0.6:
                spoilt = self._choose(SPOILT, sent)
                self.places[kind] += 1
                confirms += [self._publish(MEDIA_EXCHANGE, key, spoilt) for _ in range(1 + (roll < 0.1))]
            elif roll < 0.8:
                self.strangers += 1
                confirms.append(self._publish(MEDIA_EXCHANGE, key, self._choose(STRANGE, sent)))
            else:
                self.strangers += 1
                noise = replace(sent, type="score", content_type="application/json", body=b'{"mood": NaN')
                confirms.append(self._publish(SCORES_EXCHANGE, "score.face", noise))
        for confirm in confirms:
            confirm.result(PATIENCE_S)

    def _whole(self, kind: str) -> Message:
        seq, now = self.places[kind], datetime.now(UTC)
        if kind == FrameChunk.TYPE:
            frame = FrameChunk(session_id=self.session.id, seq=seq, at_s=seq / 5, captured_at=now, media=picture())
            return frame.to_message()
        chunk = SpeechChunk(
            session_id=self.session.id, seq=seq, start_s=seq, end_s=seq + 1, captured_at=now, media=speech()
        )
        return chunk.to_message()

    def _choose(self, spoils: dict[str, Spoil], sent: Message) -> Message:
        name = self._dice.choice(list(spoils))
        # Large ones are few: it is their size that is tried, not the disk.
        name = "noise" if name == "oversized" and self._dice.random() < 0.9 else name
        return spoils[name](self._dice, sent)

    def _publish(self, exchange: str, key: str, message: Message) -> "Future[None]":
        return self._system.broker.publish(exchange, key, message)


def strangers_of(system: System) -> int:
    """Return how many dead letters of nobody were counted."""
    with system.store() as store:
        return sum(map(int, store.hvals("mien:dead_letters")))


def test_whatever_is_sent_is_booked_once_and_nobody_falls(system: System) -> None:
    before = strangers_of(system)
    flood = Flood(system)
    since = monotonic()
    for _ in range(COUNT // AT_ONCE):
        flood.pour(AT_ONCE)
        flood.session.await_progress(sum(flood.places.values()))
    system.wait_until(
        lambda: strangers_of(system) - before >= flood.strangers, lambda: f"{strangers_of(system)} {flood.strangers}"
    )
    flood.session.account(flood.places)
    flood.session.end()
    result = flood.session.complete()
    for kind, modality in ((SpeechChunk.TYPE, "audio"), (FrameChunk.TYPE, "face")):
        row = result["accounting"][modality]
        assert row["published"] == flood.places[kind] == sum(row[outcome] for outcome in OUTCOMES)
        assert row["failed"] > row["published"] / 2
    assert strangers_of(system) - before == flood.strangers
    recovered(f"{COUNT:,} malformed, truncated, oversized and replayed messages", since)
    after = Session(system, Modality.AUDIO, Modality.FACE)
    after.send(5)
    after.end()
    after.check()
