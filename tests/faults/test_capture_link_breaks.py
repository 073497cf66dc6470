"""A live session while RabbitMQ is cut off, short of memory, stopped and started: no word is lost, and none doubled."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event
from time import monotonic
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import SecretStr

from services.capture.agent import Agent
from services.capture.settings import CaptureSettings
from services.capture.sources.port import AudioBlock, VideoFrame
from services.capture.status import Link
from shared.broker.port import Delivery
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import MODALITIES
from shared.media.flac import decode_flac
from shared.messages import FrameChunk, Message, SessionEnded, SpeechChunk
from shared.sessions import new_session
from shared.settings import BrokerSettings
from shared.topology import MEDIA_EXCHANGE, TOPOLOGY, Binding, Queue
from tests.servers import NoServerError, RabbitMqServer, Restartable, restartable_rabbitmq
from tests.wire import Wire

TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.02
LATE_EXCHANGE: Final = "late"
LOG: Final = Queue(name="log", bindings=(Binding(exchange=MEDIA_EXCHANGE, pattern="#"),), dead_letter_exchange="late")
LATE: Final = Queue(name="late", bindings=(Binding(exchange="late", pattern="#"),), dead_letter_exchange=None)
"""Live frames expire; what expires before the test has read it is read from here."""

SETTINGS: Final = CaptureSettings().model_copy(update={"max_outstanding": 16, "keep_frames": 6, "still_s": 0.1})


@pytest.fixture(scope="module")
def server() -> Iterator[Restartable]:
    try:
        with restartable_rabbitmq() as server:
            yield server
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def broker_at(url: str) -> RabbitMqBroker:
    broker = RabbitMqBroker(BrokerSettings(url=SecretStr(url), reconnect_max_s=0.3))
    exchanges, queues = (*TOPOLOGY.exchanges, LATE_EXCHANGE), (*TOPOLOGY.queues, LOG, LATE)
    broker.declare(replace(TOPOLOGY, exchanges=exchanges, queues=queues))
    return broker


def loud(window: NDArray[np.float32]) -> float:
    return float(np.abs(window).max() > 0.001)


@dataclass
class Talk:
    """A person who talks and moves: each utterance is a second of one loudness, which tells its number."""

    duration_s: float | None = None
    has_audio: bool = True
    has_video: bool = True
    problem: str | None = None
    acts: list[Callable[[], object] | int] = field(default_factory=list)
    said: int = 0

    def __iter__(self) -> Iterator[AudioBlock | VideoFrame]:
        for act in self.acts:
            if callable(act):
                act()
                continue
            for number in range(self.said, self.said + act):
                yield VideoFrame(2.0 * number, np.full((48, 64, 3), 20 * (number % 12), dtype=np.uint8))
                yield AudioBlock(2.0 * number, np.full(16_000, loudness(number), dtype=np.float32))
                yield AudioBlock(2.0 * number + 1, np.zeros(16_000, dtype=np.float32))
            self.said += act


def loudness(number: int) -> float:
    return (number + 1) / 128


def number_of(chunk: SpeechChunk) -> int:
    return round(float(np.median(np.abs(decode_flac(chunk.media)))) * 128) - 1


class Log:
    """Everything that RabbitMQ holds of the session, read as it comes, through a connection that is never cut."""

    def __init__(self, url: str) -> None:
        self._broker = broker_at(url)
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        for queue in (LOG.name, LATE.name):
            self._broker.consume(queue, self._take, 100)

    def _take(self, delivery: Delivery) -> None:
        self._inbox.put(delivery.message)
        delivery.ack()

    def read_to_end(self) -> list[Message]:
        messages: list[Message] = []
        missing = True
        while missing:
            messages.append(self._inbox.get(timeout=TIMEOUT_S))
            missing = not _is_complete(messages)
        return messages + self._rest()

    def _rest(self) -> list[Message]:
        rest: list[Message] = []
        while True:
            try:
                rest.append(self._inbox.get(timeout=0.5))
            except Empty:
                return rest

    def close(self) -> None:
        self._broker.close()


def _is_complete(messages: list[Message]) -> bool:
    ended = [SessionEnded.from_message(message) for message in messages if message.type == SessionEnded.TYPE]
    seqs = {(message.type, message.headers["seq"]) for message in messages if "seq" in message.headers}
    return bool(ended) and len(seqs) >= ended[0].speech_chunks + ended[0].frames


class Witness:
    """Waits for what an agent says of its link, and writes down how it stands.

    Attributes:
        seen: The link, how many utterances wait, and how many frames were dropped, at each look.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.seen: list[tuple[Link, int, int]] = []

    def until(self, link: Link) -> Callable[[], None]:
        return lambda: self._wait(link)

    def look(self, phase: str) -> Callable[[], None]:
        return lambda: self._look(phase)

    def _wait(self, link: Link) -> None:
        deadline = monotonic() + TIMEOUT_S
        while self._agent.status().link != link:
            assert monotonic() < deadline, f"the link is not {link}"
            Event().wait(POLL_S)

    def _look(self, phase: str) -> None:
        status = self._agent.status()
        self.seen.append((status.link, status.speech.waiting, status.frames.dropped))
        print(f"{phase:28} {status.link:10} speech {status.speech}  frames {status.frames}")  # noqa: T201


def troubles(server: Restartable, wire: Wire, witness: Witness) -> list[Callable[[], object] | int]:
    """Return what is said, in utterances, and what happens to RabbitMQ meanwhile."""
    ctl, until, look = RabbitMqServer(server.url, server.environment).ctl, witness.until, witness.look
    starve = partial(ctl, "set_vm_memory_high_watermark", "0.000001")
    feed = partial(ctl, "set_vm_memory_high_watermark", "0.4")
    return [
        5, until("connected"), look("all is well"),
        wire.cut, until("away"), 20, look("cut off"), wire.mend, until("connected"),
        5, starve, 1, until("blocked"), 20, look("short of memory"), feed, until("connected"),
        5, server.stop, until("away"), 20, look("stopped"), server.start, until("connected"),
        5, wire.cut_once, 10, wire.cut_once, 5, look("cut in the middle, twice"),
    ]  # fmt: skip


def test_no_utterance_is_lost_or_doubled_whatever_happens_to_rabbitmq(server: Restartable) -> None:
    wire = Wire(server.url)
    log, broker = Log(server.url), broker_at(wire.url)
    agent = Agent(broker, new_session(MODALITIES)[0], live=True, voice_activity=loud, settings=SETTINGS)
    witness = Witness(agent)
    talk = Talk(acts=troubles(server, wire, witness))
    try:
        ended = agent.run(talk)
        witness.look("ended")()
        messages = log.read_to_end()
    finally:
        broker.close()
        log.close()
        wire.close()
    check(talk, ended, messages)
    well, *troubled = [(link, waiting > 0) for link, waiting, _ in witness.seen[:4]]
    assert well[0] == "connected"
    assert troubled == [("away", True), ("blocked", True), ("away", True)]
    assert witness.seen[-1][1] == 0
    assert agent.status().frames.dropped + ended.frames == talk.said
    assert agent.status().frames.dropped > 0


def check(talk: Talk, ended: SessionEnded, messages: list[Message]) -> None:
    """Every utterance is there under one ``seq``; a message that was sent again is the same message."""
    speech = [SpeechChunk.from_message(message) for message in messages if message.type == SpeechChunk.TYPE]
    by_seq = {chunk.seq: chunk for chunk in speech}
    assert sorted(by_seq) == list(range(talk.said))
    assert [number_of(by_seq[seq]) for seq in sorted(by_seq)] == list(range(talk.said))
    assert ended.speech_chunks == talk.said
    assert {seq for _, seq in _seqs(messages, FrameChunk.TYPE)} == set(range(ended.frames))
    for kind, count in ((SpeechChunk.TYPE, ended.speech_chunks), (FrameChunk.TYPE, ended.frames)):
        assert len({message_id for message_id, _ in _seqs(messages, kind)}) == count
    again = len(messages) - len({message.message_id for message in messages})
    print(f"{talk.said} utterances, {ended.frames} frames; {again} messages came again, as themselves")  # noqa: T201


def _seqs(messages: list[Message], kind: str) -> list[tuple[str, object]]:
    return [(message.message_id, message.headers["seq"]) for message in messages if message.type == kind]
