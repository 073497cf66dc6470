"""A live session in the person's hands: pause, mute, forget, and what is known of it while it runs."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from services.capture.agent import Agent
from services.capture.settings import CaptureSettings
from services.capture.sources.port import AudioBlock, Tick, VideoFrame
from services.capture.status import CaptureStatus, Counts
from services.cli.readout import NoReadout
from services.cli.recording import Recording
from shared.broker.memory import MemoryBroker
from shared.emotions import MODALITIES
from shared.errors import PublishError
from shared.media.flac import decode_flac
from shared.media.jpeg import decode_jpeg
from shared.messages import FrameChunk, Message, SessionEnded, SessionForget, SessionStarted, SpeechChunk
from shared.topology import TOPOLOGY
from tests.capture_session import until

Step = AudioBlock | VideoFrame | Tick | Callable[[], object]


class Script:
    """A source that plays steps; between what it gives, it does what the person does."""

    duration_s, has_audio, has_video, problem = None, True, True, None

    def __init__(self, *steps: Step | Sequence[Step]) -> None:
        self._steps = [step for part in steps for step in (part if isinstance(part, Sequence) else [part])]

    def __iter__(self) -> Iterator[AudioBlock | VideoFrame | Tick]:
        for step in self._steps:
            if isinstance(step, AudioBlock | VideoFrame | Tick):
                yield step
            else:
                step()


class Ledger(MemoryBroker):
    """Remembers what was published; while it is closed for business, nothing is confirmed."""

    def __init__(self) -> None:
        super().__init__()
        self.declare(TOPOLOGY)
        self.messages: list[Message] = []
        self.shut = False
        self._held: list[tuple[Future[None], str, str, Message]] = []

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        if not self.shut:
            self.messages.append(message)
            return super().publish(exchange, routing_key, message)
        future: Future[None] = Future()
        self._held.append((future, exchange, routing_key, message))
        return future

    def shut_down(self) -> None:
        self.shut = True

    def reopen(self) -> None:
        """Take what was held, in order, and whatever comes then."""
        self.shut = False
        held, self._held = self._held, []
        taken = [(future, self.publish(exchange, key, message)) for future, exchange, key, message in held]
        for future, outcome in taken:
            future.set_result(outcome.result())

    def speech(self) -> list[SpeechChunk]:
        return [SpeechChunk.from_message(m) for m in self.messages if m.type == SpeechChunk.TYPE]

    def frames(self) -> list[FrameChunk]:
        return [FrameChunk.from_message(m) for m in self.messages if m.type == FrameChunk.TYPE]

    def ended(self) -> SessionEnded:
        return SessionEnded.from_message(self.messages[-1])


def loud(window: NDArray[np.float32]) -> float:
    return float(np.abs(window).max() > 0.001)


def sound(start_s: float, end_s: float, amplitude: float = 0.1) -> list[Step]:
    """Return blocks of a tenth of a second."""
    samples = np.full(1_600, amplitude, dtype=np.float32)
    return [AudioBlock(tenth / 10, samples) for tenth in range(round(start_s * 10), round(end_s * 10))]


def frame(at_s: float, shade: int | None = None) -> VideoFrame:
    """Return a picture of one shade; a new one for each second where none is given."""
    return VideoFrame(at_s, np.full((48, 64, 3), round(at_s) * 10 if shade is None else shade, dtype=np.uint8))


@pytest.fixture
def broker() -> Iterator[Ledger]:
    broker = Ledger()
    yield broker
    broker.close()


def agent_for(broker: Ledger, **settings: float) -> Agent:
    started = SessionStarted(
        session_id="session-0001",
        token_sha256="0" * 64,
        consent=True,
        purpose="research",
        modalities=MODALITIES,
        agent_version="0",
        started_at=datetime.now(UTC),
    )
    return Agent(
        broker, started, live=True, voice_activity=loud, settings=CaptureSettings().model_copy(update=settings)
    )


def test_a_pause_is_a_gap_and_never_spliced(broker: Ledger) -> None:
    agent = agent_for(broker)
    told: list[CaptureStatus] = []
    seen: list[NDArray[np.uint8] | None] = []
    ended = agent.run(
        Script(
            frame(0),
            sound(0, 2),
            agent.pause,
            frame(2),
            sound(2, 2.3),
            lambda: told.append(agent.status()),
            lambda: seen.append(agent.preview()),
            agent.resume,
            sound(2.3, 4),
            frame(4),
        )
    )
    assert [(chunk.start_s, chunk.end_s) for chunk in broker.speech()] == [(0.0, 2.0), (2.3, 4.0)]
    assert [chunk.at_s for chunk in broker.frames()] == [0.0, 4.0]
    (paused,) = told
    assert (paused.paused, paused.level_dbfs, paused.speaking) == (True, None, False)
    assert seen == [None]
    assert paused.elapsed_s == pytest.approx(2.3)
    assert ended == broker.ended()
    assert (ended.duration_s, ended.speech_chunks, ended.frames) == (4.0, 2, 2)


def test_mute_is_for_sound_alone(broker: Ledger) -> None:
    agent = agent_for(broker)
    agent.run(
        Script(
            sound(0, 1),
            lambda: agent.mute(muted=True),
            sound(1, 2),
            frame(2),
            lambda: agent.mute(muted=False),
            sound(2, 3),
        )
    )
    assert [(chunk.start_s, chunk.end_s) for chunk in broker.speech()] == [(0.0, 1.0), (2.0, 3.0)]
    assert [chunk.at_s for chunk in broker.frames()] == [2.0]


def test_sound_that_the_source_did_not_hear_is_a_gap_too(broker: Ledger) -> None:
    agent_for(broker).run(Script(sound(0, 1), Tick(3.0), sound(5, 6), Tick(9.0)))
    assert [(chunk.start_s, chunk.end_s) for chunk in broker.speech()] == [(0.0, 1.0), (5.0, 6.0)]
    assert broker.ended().duration_s == 9.0


def test_forgetting_takes_back_what_was_sent_and_drops_what_was_not(broker: Ledger) -> None:
    agent = agent_for(broker, max_outstanding=1)
    told: list[CaptureStatus] = []
    agent.run(
        Script(
            [frame(0), *sound(0, 2), *sound(2, 3, 0.0)],
            broker.shut_down,
            [frame(3), frame(4), *sound(4, 6), *sound(6, 7, 0.0), *sound(7, 8)],
            lambda: agent.forget(5.0),
            Tick(8.0),
            lambda: told.append(agent.status()),
            broker.reopen,
            sound(8, 9),
        )
    )
    (forget,) = [SessionForget.from_message(m) for m in broker.messages if m.type == SessionForget.TYPE]
    assert forget.start_s == pytest.approx(3.0)
    assert forget.end_s == pytest.approx(8.0, abs=0.01)
    assert told[0].frames == Counts(sent=1, waiting=1, dropped=1), "one was under way and cannot be called back"
    assert told[0].speech == Counts(sent=1, waiting=0, dropped=1)
    assert [(chunk.seq, chunk.start_s, chunk.end_s) for chunk in broker.speech()] == [
        (0, 0.0, pytest.approx(2.2, abs=0.03)),
        (1, pytest.approx(forget.end_s, abs=2e-4), 9.0),
    ]
    assert [(chunk.seq, chunk.at_s) for chunk in broker.frames()] == [(0, 0.0), (1, 3.0)]
    assert (broker.ended().speech_chunks, broker.ended().frames) == (2, 2)


@pytest.mark.parametrize("after", [[], [Tick(8.0)]], ids=["in the middle of the talk", "after a while"])
def test_what_is_said_after_the_key_does_not_reach_into_what_is_forgotten(broker: Ledger, after: list[Step]) -> None:
    agent = agent_for(broker)
    agent.run(Script(sound(0, 8), lambda: agent.forget(60.0), after, sound(8, 10)))
    (forget,) = [SessionForget.from_message(m) for m in broker.messages if m.type == SessionForget.TYPE]
    (said,) = broker.speech()
    assert forget.end_s <= said.start_s < forget.end_s + 0.001
    assert said.end_s == 10.0


def test_what_is_to_be_forgotten_is_forgotten_though_the_session_ends_before_anything_more_comes(
    broker: Ledger,
) -> None:
    agent = agent_for(broker)
    agent.run(Script(sound(0, 2), frame(2), lambda: agent.forget(60.0), agent.stop, sound(2, 3)))
    *_, forget, _ = broker.messages
    assert broker.speech() == [], "it was still being said"
    assert SessionForget.from_message(forget).start_s == 0.0
    assert SessionForget.from_message(forget).end_s > 2.0
    assert broker.ended().speech_chunks == 0


def test_what_is_on_its_way_at_the_end_can_be_forgotten_until_the_account_is_closed(broker: Ledger) -> None:
    agent = agent_for(broker)
    thread = Thread(target=agent.run, args=(Script(sound(0, 2), broker.shut_down),))
    thread.start()
    until(lambda: agent.status().speech.waiting == 1, "on its way")
    could = agent.may_forget, agent.forget(60.0)
    broker.reopen()
    thread.join()
    assert could == (True, True)
    assert [message.type for message in broker.messages[1:]] == [
        SpeechChunk.TYPE,
        SessionForget.TYPE,
        SessionEnded.TYPE,
    ]
    assert (agent.may_forget, agent.forget(60.0)) == (False, False)


def test_nothing_says_that_it_is_forgotten_where_it_comes_too_late(broker: Ledger) -> None:
    source = Script(sound(0, 1))
    recording = Recording(agent_for(broker), source, NoReadout(), live=True, remote=True)
    keys = set(recording.keys)
    recording.start()
    recording.outcome()
    recording.press("f")
    assert keys - set(recording.keys) == {"f"}
    assert recording.look().notice is None


def test_what_waits_is_bounded_the_oldest_goes_and_the_account_is_exact(broker: Ledger) -> None:
    agent = agent_for(broker, max_outstanding=4, keep_minutes=0.1, keep_frames=3)
    told: list[CaptureStatus] = []
    talk = [step for start in range(0, 20, 2) for step in (frame(start), *sound(start, start + 1), Tick(start + 1.0))]
    agent.run(Script(broker.shut_down, talk, lambda: told.append(agent.status()), broker.reopen, sound(20, 21)))
    speech, frames = broker.speech(), broker.frames()
    assert [chunk.seq for chunk in speech] == list(range(len(speech)))
    assert [chunk.seq for chunk in frames] == list(range(len(frames)))
    assert told[0].speech.waiting + told[0].speech.dropped == 9, "the tenth is still being said"
    assert told[0].speech.waiting == 6
    assert told[0].frames == Counts(sent=0, waiting=3, dropped=7)
    assert [chunk.at_s for chunk in frames] == [0.0, 16.0, 18.0], "the first was under way, the newest are kept"
    assert broker.ended().speech_chunks == len(speech) == 8
    assert broker.ended().frames == 3


def test_frames_that_show_nothing_new_are_skipped_and_the_preview_is_what_was_sent(broker: Ledger) -> None:
    agent = agent_for(broker, still_s=1.0)
    seen: list[NDArray[np.uint8] | None] = []
    looks = [frame(tenth / 10, 50 if tenth < 25 else 90) for tenth in range(40)]
    agent.run(Script(lambda: seen.append(agent.preview()), looks, lambda: seen.append(agent.preview())))
    assert [chunk.at_s for chunk in broker.frames()] == [0.0, 1.0, 2.0, 2.5, 3.5]
    first, last = seen
    assert first is None
    assert last is not None
    assert np.abs(decode_jpeg(broker.frames()[-1].media).astype(int) - last).max() <= 2


def test_a_refusal_still_ends_a_live_session_with_an_exact_account(broker: Ledger) -> None:
    agent = agent_for(broker)

    def refuse() -> None:
        faceless = tuple(queue for queue in TOPOLOGY.queues if queue.name != "mien.face")
        other = MemoryBroker()
        other.declare(replace(TOPOLOGY, queues=faceless))
        broker._server = other._server

    with pytest.raises(PublishError, match=r"frame\.chunk"):
        agent.run(Script(frame(0), sound(0, 2), sound(2, 3, 0.0), refuse, frame(3), sound(4, 5)))
    assert broker.ended().frames == 1
    assert broker.ended().speech_chunks == len(broker.speech()) == 1


def test_the_sound_is_the_source_s(broker: Ledger) -> None:
    agent_for(broker).run(Script(sound(0, 1, 0.25), sound(3, 4, 0.5)))
    first, second = broker.speech()
    assert np.abs(decode_flac(first.media) - 0.25).max() < 1e-3
    assert np.abs(decode_flac(second.media) - 0.5).max() < 1e-3
