"""A real microphone for PortAudio: what is said in the room of a private PulseAudio is cut, sent and timed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from services.capture.devices import choose_device, find_device, list_devices, open_live
from services.capture.sources import microphone
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from shared.emotions import Modality
from shared.errors import DeviceError
from shared.media.flac import decode_flac
from shared.messages import SpeechChunk
from tests.capture_session import LiveSession, until
from tests.e2e.command import SAMPLE
from tests.servers import NoServerError
from tests.sound import MICROPHONE, TIMEOUT_S, Room

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


def spoken() -> NDArray[np.float32]:
    """Return a second and a half of the sample recording, with speech all through."""
    blocks = [item.samples for item in FileSource(SAMPLE, video=False) if isinstance(item, AudioBlock)]
    return np.concatenate(blocks)[8_000:32_000]


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


def say(session: LiveSession, room: Room) -> SpeechChunk:
    """Say something in the room, and return the utterance that is sent of it."""
    said, before = spoken(), len(session.speech)
    room.play(said).wait(TIMEOUT_S)
    until(lambda: len(session.speech) > before, "understood as an utterance")
    chunk = session.speech[before]
    alike = likeness(decode_flac(chunk.media), said)
    print(f"\nheard {chunk.start_s:.2f} to {chunk.end_s:.2f} s, {alike:.0%} of it as it was said")  # noqa: T201
    assert alike > 0.7
    assert 1 < chunk.end_s - chunk.start_s < 2.5
    return chunk


def test_a_microphone_that_is_unplugged_returns_and_hears_the_next_sentence(room: Room) -> None:
    assert MICROPHONE in [device.name for device in list_devices()]
    with LiveSession(open_live(microphone=MICROPHONE, camera=False), Modality.AUDIO) as session:
        until(lambda: session.agent.status().level_dbfs is not None, "heard")
        begun_s = session.agent.status().elapsed_s
        first = say(session, room)
        room.unplug()
        sentence, gone_s = session.problem(), session.agent.status().elapsed_s
        assert room.plug_in()
        session.until_well()
        back_s = session.agent.status().elapsed_s
        second = say(session, room)
        ended = session.end()
    print(sentence)  # noqa: T201
    assert begun_s < first.start_s < begun_s + 3
    assert MICROPHONE in sentence
    assert sentence.endswith("goes on when it returns.")
    assert second.start_s > back_s - 1 > gone_s - 1
    assert (ended.speech_chunks, ended.frames) == (2, 0)
    assert ended.duration_s >= second.end_s


def test_a_microphone_that_others_hold_at_the_start_is_waited_for(room: Room) -> None:
    with room.hold() as holder:
        with pytest.raises(DeviceError, match="or another program holds it"):
            open_live(camera=False)
        with LiveSession(open_live(microphone=MICROPHONE, camera=False), Modality.AUDIO) as session:
            sentence = session.problem()
            holder.kill()
            session.until_well()
            until(lambda: session.agent.status().level_dbfs is not None, "heard")
    print(f"\n{sentence}")  # noqa: T201
    assert sentence.startswith(f"There is no microphone called {MICROPHONE!r} on this machine, or another program")
    assert sentence.endswith("It goes on when it returns.")


@pytest.mark.usefixtures("room")
def test_a_microphone_that_is_not_there_is_named_and_so_are_the_others() -> None:
    with pytest.raises(DeviceError, match=r"no microphone called 'nobody'.*'room'"):
        find_device("microphone", "nobody")
    assert "'room'" in (choose_device("microphone", "nobody").missing or "")
    assert choose_device("microphone", "ROO").name == MICROPHONE
    assert find_device("microphone").default


def test_without_portaudio_the_sentence_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(microphone, "import_module", missing)
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        open_live(microphone=MICROPHONE, camera=False)
    assert all(device.kind == "camera" for device in list_devices())
