"""A real microphone for PortAudio: what is said in the room of a private PulseAudio is cut, sent and timed."""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

import services.capture.sample
from services.capture.agent import Agent
from services.capture.devices import find_device, list_devices, open_live
from services.capture.sources import microphone
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from shared.broker.memory import MemoryBroker
from shared.broker.port import Delivery
from shared.emotions import Modality
from shared.errors import DeviceError
from shared.media.flac import decode_flac
from shared.messages import SessionEnded, SessionStarted, SpeechChunk
from shared.topology import TOPOLOGY
from tests.servers import NoServerError
from tests.sound import MICROPHONE, POLL_S, TIMEOUT_S, Room

SAMPLE: Final = Path(services.capture.sample.__file__).with_name("sample.mp4")

PIECE: Final = 1_600


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    try:
        room = Room(tmp_path, monkeypatch.setenv)
    except NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield room
    room.close()


@pytest.fixture
def broker() -> Iterator[MemoryBroker]:
    broker = MemoryBroker()
    broker.declare(TOPOLOGY)
    yield broker
    broker.close()


def spoken() -> NDArray[np.float32]:
    """Return three seconds of the sample recording, with speech all through."""
    blocks = [item.samples for item in FileSource(SAMPLE, video=False) if isinstance(item, AudioBlock)]
    return np.concatenate(blocks)[8_000:56_000]


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = monotonic() + TIMEOUT_S
    while not is_so():
        assert monotonic() < deadline, f"not {what} in time"
        threading.Event().wait(POLL_S)


def likeness(heard: NDArray[np.float32], said: NDArray[np.float32]) -> float:
    """Return which share of the speech heard, by tenths of a second, is what was said, and where it was said."""
    size = 1 << (len(heard) + len(said)).bit_length()
    energy = np.convolve(said**2, np.ones(PIECE), "valid")
    found = []
    for number, piece in enumerate(np.split(heard, range(PIECE, len(heard), PIECE))[:-1]):
        products = np.fft.irfft(np.fft.rfft(said, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(energy)]
        if np.sqrt(np.mean(piece**2)) < 0.01:
            continue  # between two words
        alike = products / np.sqrt(energy * (piece**2).sum() + 1e-6)
        found.append((int(np.argmax(alike)) - number * PIECE, float(alike.max())))
    usual = float(np.median([place for place, _ in found]))
    return sum(alike > 0.8 and abs(place - usual) < 0.06 * 16_000 for place, alike in found) / len(found)


def test_a_sentence_said_into_a_microphone_that_is_unplugged_and_returns(room: Room, broker: MemoryBroker) -> None:
    assert MICROPHONE in [device.name for device in list_devices()]
    chunks: list[SpeechChunk] = []

    def take(delivery: Delivery) -> None:
        chunks.append(SpeechChunk.from_message(delivery.message))
        delivery.ack()

    broker.consume("mien.audio", take, prefetch=1)
    started = SessionStarted(
        session_id="session-0001",
        token_sha256="0" * 64,
        consent=True,
        purpose="research",
        modalities=(Modality.AUDIO,),
        agent_version="0",
        started_at=datetime.now(UTC),
    )
    agent, ended = Agent(broker, started, live=True), list[SessionEnded]()
    source = open_live(microphone=MICROPHONE, camera=False)
    thread = threading.Thread(target=lambda: ended.append(agent.run(source)))
    thread.start()
    said = spoken()
    try:
        until(lambda: agent.status().level_dbfs is not None, "heard")
        begun_s = agent.status().elapsed_s
        room.play(said).wait(TIMEOUT_S)
        until(lambda: len(chunks) == 1, "understood as one utterance")
        room.unplug()
        until(lambda: agent.status().problem is not None, "told that the microphone is gone")
        sentence, gone_s = agent.status().problem or "", agent.status().elapsed_s
        assert room.plug_in()
        until(lambda: agent.status().problem is None, "told that it is back")
        back_s = agent.status().elapsed_s
        room.play(said).wait(TIMEOUT_S)
        until(lambda: len(chunks) == 2, "understood again")
    finally:
        agent.stop()
        thread.join(TIMEOUT_S)
    print(f"\n{sentence}")  # noqa: T201
    for chunk in chunks:
        alike = likeness(decode_flac(chunk.media), said)
        print(f"heard {chunk.start_s:.2f} to {chunk.end_s:.2f} s, {alike:.0%} of it as it was said")  # noqa: T201
        assert alike > 0.7
        assert 2 < chunk.end_s - chunk.start_s < 4
    first, second = chunks
    assert begun_s < first.start_s < begun_s + 3
    assert MICROPHONE in sentence
    assert sentence.endswith("goes on when it returns.")
    assert back_s > gone_s
    assert second.start_s > back_s - 1
    assert (ended[0].speech_chunks, ended[0].frames) == (2, 0)
    assert ended[0].duration_s >= second.end_s


@pytest.mark.usefixtures("room")
def test_a_microphone_that_is_not_there_is_named_and_so_are_the_others() -> None:
    with pytest.raises(DeviceError, match=r"no microphone called 'nobody'.*'room'"):
        find_device("microphone", "nobody")
    assert find_device("microphone", "ROO").name == MICROPHONE
    assert find_device("microphone").default


def test_without_portaudio_the_sentence_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(microphone, "import_module", missing)
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        open_live(camera=False)
    assert all(device.kind == "camera" for device in list_devices())
