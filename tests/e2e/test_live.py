"""``mien live`` at a terminal and in a browser's place: consent, keys, mood, card."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.camera import NetworkCamera
from tests.e2e import scene
from tests.e2e.command import mien
from tests.e2e.terminal import CTRL_C, Terminal
from tests.sound import Room


@pytest.fixture(scope="module")
def camera() -> Iterator[NetworkCamera]:
    with scene.camera() as camera:
        yield camera


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    with scene.talkative_room(tmp_path, monkeypatch) as room:
        yield room


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("room")
def test_a_person_agrees_sees_the_mood_pauses_mutes_forgets_and_ends(camera: NetworkCamera) -> None:
    listed = mien("devices", "--json")
    assert "room" in {each["name"] for each in json.loads(listed.stdout)}
    with Terminal("live", "--microphone", "room", "--camera", camera.url, "--no-browser") as terminal:
        terminal.expect("Before anything is recorded")
        terminal.expect("nowhere: everything is judged on this machine")
        terminal.expect("What is it for?")
        terminal.press("\n")
        terminal.expect("agree?")
        terminal.press("y\n")
        terminal.expect("● RECORDING 0:")
        terminal.expect("dBFS  speech")
        terminal.expect("face seen")
        terminal.expect("of 5")
        terminal.expect("speech    1 sent")
        assert "nowhere: everything is judged in this process" in terminal.shown
        assert "broker" not in terminal.shown
        terminal.press("p")
        terminal.expect("‖ PAUSED")
        terminal.press("p")
        terminal.expect("● RECORDING 0")
        terminal.press("m")
        terminal.expect("● RECORDING WITHOUT SOUND")
        terminal.press("f")
        terminal.expect("The last minute is forgotten")
        terminal.press("m")
        terminal.expect("dBFS  speech")
        terminal.press(CTRL_C)
        terminal.expect("What each modality says")
        terminal.expect("of every chunk (complete)")
        terminal.expect("Press any key")
        terminal.press("x")
        assert terminal.end() == 0
    scene.keep(terminal, "live-terminal")


def test_deleting_asks_first_and_leaves_no_result(camera: NetworkCamera) -> None:
    with Terminal("live", "--no-microphone", "--camera", camera.url, "--no-browser", "--consent") as terminal:
        terminal.expect("● RECORDING")
        terminal.press("d")
        terminal.expect("Delete everything about this session? [y] yes")
        terminal.press("n")
        terminal.expect("[d] delete the session")
        terminal.press("d")
        terminal.expect("Delete everything about this session?")
        terminal.press("y")
        terminal.expect("The session is erased")
        assert terminal.end() == 0
    assert "What each modality says" not in terminal.shown
