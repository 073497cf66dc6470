"""The agent from a real file to a broker in memory."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray

import services.capture.sample
from services.capture.agent import Agent, Progress
from services.capture.settings import CaptureSettings
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock, VideoFrame
from shared.broker.memory import MemoryBroker
from shared.broker.port import Delivery
from shared.emotions import MODALITIES, Modality
from shared.errors import BadInputError, BrokerError, PublishError
from shared.media.flac import decode_flac
from shared.media.jpeg import decode_jpeg
from shared.messages import FrameChunk, Message, SessionEnded, SessionStarted, SpeechChunk
from shared.topology import LIVE_FRAME_EXPIRATION_MS, MEDIA_EXCHANGE, MEDIA_QUEUES, TOPOLOGY, Binding, Queue
from tests.capture_session import until

SAMPLE = Path(services.capture.sample.__file__).with_name("sample.mp4")
LOG = Queue(name="log", bindings=(Binding(exchange=MEDIA_EXCHANGE, pattern="#"),))
SETTINGS = CaptureSettings()


def loud(window: NDArray[np.float32]) -> float:
    """Take everything that is not silence for speech: the sample has nothing else in it."""
    return float(np.sqrt(np.mean(window**2)) > 0.01)


def start(*modalities: Modality) -> SessionStarted:
    return SessionStarted(
        session_id="session-0001",
        token_sha256="0" * 64,
        consent=True,
        purpose="research",
        modalities=modalities or MODALITIES,
        agent_version="0",
        started_at=datetime.now(UTC),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    """A broker that also keeps everything that goes to the media exchange, in order."""
    broker = MemoryBroker()
    broker.declare(replace(TOPOLOGY, queues=(*TOPOLOGY.queues, LOG)))
    yield broker
    broker.close()


def drain(broker: MemoryBroker, queue: str) -> list[Message]:
    """Take everything out of a queue; live frames may expire meanwhile."""
    messages: list[Message] = []

    def take(delivery: Delivery) -> None:
        messages.append(delivery.message)
        delivery.ack()

    subscription = broker.consume(queue, take, prefetch=1)
    until(lambda: broker.depth(queue) == 0, "empty")
    subscription.cancel()
    return messages


def test_a_recording_is_announced_sent_in_order_and_accounted_for(broker: MemoryBroker) -> None:
    started = start()
    before = datetime.now(UTC)
    ended = Agent(broker, started, live=False, voice_activity=loud).run(FileSource(SAMPLE))
    log = drain(broker, LOG.name)
    types = [message.type for message in log]
    assert (types[0], types[-1]) == (SessionStarted.TYPE, SessionEnded.TYPE)
    assert SessionStarted.from_message(log[0]) == started
    assert SessionEnded.from_message(log[-1]) == ended
    assert Counter(types[1:-1]) == {SpeechChunk.TYPE: ended.speech_chunks, FrameChunk.TYPE: ended.frames}
    assert (ended.speech_chunks, ended.frames) == (3, 100)
    assert ended.duration_s == pytest.approx(20, abs=0.1)
    speech = [SpeechChunk.from_message(message) for message in log if message.type == SpeechChunk.TYPE]
    frames = [FrameChunk.from_message(message) for message in log if message.type == FrameChunk.TYPE]
    assert [chunk.seq for chunk in speech] == list(range(3))
    assert [frame.seq for frame in frames] == list(range(100))
    assert all(a.end_s <= b.start_s for a, b in pairwise(speech))
    assert all(a.at_s < b.at_s for a, b in pairwise(frames))
    assert {chunk.traceparent for chunk in (*speech, *frames)} == {started.traceparent}
    captured = [chunk.captured_at for chunk in speech] + [frame.captured_at for frame in frames]
    assert before <= min(captured) <= max(captured) <= datetime.now(UTC)
    assert all(message.expiration_ms is None for message in log)
    assert len({message.message_id for message in log}) == len(log)


def test_the_media_are_the_file_s(broker: MemoryBroker) -> None:
    Agent(broker, start(), live=False, voice_activity=loud).run(FileSource(SAMPLE))
    items = list(FileSource(SAMPLE))
    sound = np.concatenate([item.samples for item in items if isinstance(item, AudioBlock)])
    for message in drain(broker, MEDIA_QUEUES[Modality.TEXT]):
        chunk = SpeechChunk.from_message(message)
        expected = sound[round(chunk.start_s * 16_000) : round(chunk.end_s * 16_000)]
        assert np.abs(decode_flac(chunk.media) - expected).max() < 1e-4
    images = {item.at_s: item.image for item in items if isinstance(item, VideoFrame)}
    for message in drain(broker, MEDIA_QUEUES[Modality.FACE])[:10]:
        frame = FrameChunk.from_message(message)
        assert np.abs(decode_jpeg(frame.media).astype(int) - images[frame.at_s]).mean() < 4


@pytest.mark.parametrize(
    ("agreed", "reach"),
    [
        ((Modality.TEXT, Modality.AUDIO), {Modality.TEXT: 3, Modality.AUDIO: 3, Modality.FACE: 0}),
        ((Modality.TEXT,), {Modality.TEXT: 3, Modality.AUDIO: 0, Modality.FACE: 0}),
        ((Modality.AUDIO, Modality.FACE), {Modality.TEXT: 0, Modality.AUDIO: 3, Modality.FACE: 100}),
        ((Modality.FACE,), {Modality.TEXT: 0, Modality.AUDIO: 0, Modality.FACE: 100}),
    ],
)
def test_only_what_was_agreed_to_leaves_and_only_to_whom(
    broker: MemoryBroker, agreed: tuple[Modality, ...], reach: dict[Modality, int]
) -> None:
    ended = Agent(broker, start(*agreed), live=False, voice_activity=loud).run(FileSource(SAMPLE))
    assert {modality: broker.depth(MEDIA_QUEUES[modality]) for modality in MODALITIES} == reach
    assert ended.speech_chunks == max(reach[Modality.TEXT], reach[Modality.AUDIO])
    assert ended.frames == reach[Modality.FACE]


def test_live_frames_expire_and_speech_does_not(broker: MemoryBroker) -> None:
    before = datetime.now(UTC)
    Agent(broker, start(), live=True, voice_activity=loud).run(FileSource(SAMPLE))
    log = drain(broker, LOG.name)
    assert {m.expiration_ms for m in log if m.type == FrameChunk.TYPE} <= {LIVE_FRAME_EXPIRATION_MS}
    assert {m.expiration_ms for m in log if m.type == SpeechChunk.TYPE} == {None}
    speech = [SpeechChunk.from_message(m) for m in log if m.type == SpeechChunk.TYPE]
    wait = timedelta(seconds=CaptureSettings().pause_s - 0.25)
    assert all(before - timedelta(seconds=1) < chunk.captured_at < datetime.now(UTC) - wait for chunk in speech[:2])


def test_progress_is_told_as_the_media_go_by(broker: MemoryBroker) -> None:
    told: list[Progress] = []
    source = FileSource(SAMPLE)
    Agent(broker, start(), live=False, voice_activity=loud, on_progress=told.append).run(source)
    assert 60 <= len(told) <= 85
    assert all(a.done_s <= b.done_s and a.frames <= b.frames for a, b in pairwise(told))
    assert told[-1].duration_s == source.duration_s
    assert (told[-1].speech_chunks, told[-1].frames) == (3, 100)


def test_stop_in_the_middle_ends_the_session_with_exact_counts(broker: MemoryBroker) -> None:
    def on_progress(progress: Progress) -> None:
        if progress.done_s >= 9.0:
            agent.stop()

    agent = Agent(broker, start(), live=False, voice_activity=loud, on_progress=on_progress)
    ended = agent.run(FileSource(SAMPLE))
    assert ended.duration_s == pytest.approx(9.0, abs=0.3)
    log = drain(broker, LOG.name)
    assert SessionEnded.from_message(log[-1]) == ended
    speech = [SpeechChunk.from_message(m) for m in log if m.type == SpeechChunk.TYPE]
    assert ended.speech_chunks == len(speech) == 2
    assert speech[-1].end_s == pytest.approx(9.0, abs=0.3), "what was being said is sent up to the stop"
    assert ended.frames == sum(m.type == FrameChunk.TYPE for m in log) < 50


def test_a_recording_waits_for_its_workers_and_loses_no_frame(broker: MemoryBroker) -> None:
    bound, every = 20, 5
    settings = SETTINGS.model_copy(update={"max_waiting": bound, "depth_every": every})
    queue = MEDIA_QUEUES[Modality.FACE]
    deepest, received = 0, 0
    agent = Agent(broker, start(Modality.FACE), live=False, settings=settings)
    thread = Thread(target=agent.run, args=(FileSource(SAMPLE, fps=12, audio=False),))
    thread.start()
    thread.join(timeout=1.0)
    assert thread.is_alive()
    assert bound < broker.depth(queue) <= bound + every

    def take(delivery: Delivery) -> None:
        nonlocal deepest, received
        deepest = max(deepest, broker.depth(queue))
        received += 1
        delivery.ack()

    subscription = broker.consume(queue, take, prefetch=1)
    thread.join(timeout=20)
    subscription.cancel()
    assert not thread.is_alive()
    ended = SessionEnded.from_message(drain(broker, LOG.name)[-1])
    assert received + broker.depth(queue) == ended.frames == 240
    assert deepest <= bound + every
    assert broker.depth("mien.dead") == 0


def test_stop_ends_the_wait_for_workers(broker: MemoryBroker) -> None:
    settings = SETTINGS.model_copy(update={"max_waiting": 5, "depth_every": 1})
    agent = Agent(broker, start(Modality.FACE), live=False, settings=settings)
    thread = Thread(target=agent.run, args=(FileSource(SAMPLE, audio=False),))
    thread.start()
    thread.join(timeout=1.0)
    assert thread.is_alive()
    agent.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert SessionEnded.from_message(drain(broker, LOG.name)[-1]).frames == 6


class LateBroker(MemoryBroker):
    """Confirms later, as a broker on a network does, and remembers how many confirms were under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(1)
        self._under_way: list[Future[None]] = []
        self.most_under_way = 0

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        future = self._pool.submit(super().publish(exchange, routing_key, message).result)
        self._under_way = [*(other for other in self._under_way if not other.done()), future]
        self.most_under_way = max(self.most_under_way, len(self._under_way))
        return future

    def close(self) -> None:
        self._pool.shutdown()
        super().close()


def test_confirms_are_pipelined_up_to_a_bound() -> None:
    broker = LateBroker()
    broker.declare(TOPOLOGY)
    settings = SETTINGS.model_copy(update={"max_outstanding": 4})
    ended = Agent(broker, start(), live=False, voice_activity=loud, settings=settings).run(FileSource(SAMPLE))
    broker.close()
    assert 1 <= broker.most_under_way <= 4
    assert (ended.speech_chunks, ended.frames) == (3, 100)


def test_frames_that_nobody_takes_are_an_error_and_are_not_counted() -> None:
    broker = MemoryBroker()
    faceless = tuple(queue for queue in TOPOLOGY.queues if queue.name != MEDIA_QUEUES[Modality.FACE])
    broker.declare(replace(TOPOLOGY, queues=faceless))
    with pytest.raises(PublishError, match=r"frame\.chunk"):
        Agent(broker, start(), live=True, voice_activity=loud).run(FileSource(SAMPLE))
    _, last = drain(broker, "mien.fusion")
    ended = SessionEnded.from_message(last)
    assert ended.frames == 0
    assert ended.speech_chunks == broker.depth(MEDIA_QUEUES[Modality.TEXT])
    broker.close()


class SilentBroker(MemoryBroker):
    """Takes frames and never confirms one."""

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        return Future() if message.type == FrameChunk.TYPE else super().publish(exchange, routing_key, message)


def test_a_broker_that_does_not_confirm_is_an_error_in_time() -> None:
    broker = SilentBroker()
    broker.declare(TOPOLOGY)
    settings = SETTINGS.model_copy(update={"confirm_timeout_s": 0.05, "max_outstanding": 2})
    agent = Agent(broker, start(Modality.FACE), live=True, settings=settings)
    with pytest.raises(BrokerError, match=r"not confirmed a frame\.chunk within 0\.05 s"):
        agent.run(FileSource(SAMPLE, audio=False))
    broker.close()


class BreakingSource(FileSource):
    """Becomes unreadable half-way."""

    def __iter__(self) -> Iterator[AudioBlock | VideoFrame]:
        for item in super().__iter__():
            if item.start_s > 10:
                raise BadInputError("The file has gone.")
            yield item


def test_a_source_that_fails_ends_the_session_with_what_was_sent(broker: MemoryBroker) -> None:
    with pytest.raises(BadInputError, match="gone"):
        Agent(broker, start(), live=False, voice_activity=loud).run(BreakingSource(SAMPLE))
    log = drain(broker, LOG.name)
    ended = SessionEnded.from_message(log[-1])
    assert ended.duration_s == pytest.approx(10, abs=0.3)
    assert ended.speech_chunks == sum(m.type == SpeechChunk.TYPE for m in log) > 0
    assert ended.frames == sum(m.type == FrameChunk.TYPE for m in log) > 0
