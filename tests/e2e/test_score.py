"""``mien score``: one JSON object for each input, in order."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

from tests.e2e.command import SAMPLE, mien

KEYS = ["input", "status", "reason", "mood", "distribution", "confidence", "quality", "details", "model"]


def _lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_lines_on_standard_input() -> None:
    done = mien("score", "text", text="I am so happy today!\n\nEverything is lost and I feel terrible.\n")
    assert done.returncode == 0, done.stderr
    happy, blank, sad = _lines(done.stdout)
    assert list(happy) == KEYS
    assert happy["mood"] > 3.8
    assert sad["mood"] < 2.2
    assert (blank["status"], blank["mood"], blank["input"]) == ("abstained", None, "")
    assert happy["details"]["transcript"] == "I am so happy today!"


def test_text_file_and_recording(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("Good morning.\nThank you so much!\n")
    done = mien("score", "text", path)
    assert [line["input"] for line in _lines(done.stdout)] == ["Good morning.", "Thank you so much!"]


def test_recordings_one_of_them_unreadable(tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(32_000), 16_000)
    words = tmp_path / "words.wav"
    words.write_text("not a recording")
    done = mien("score", "audio", silence, words, SAMPLE)
    assert done.returncode == 2
    quiet, unreadable, sample = _lines(done.stdout)
    assert quiet["status"] == "abstained"
    assert (unreadable["status"], unreadable["reason"]) == ("failed", "unreadable")
    assert sample["status"] == "scored"
    assert 60 < sample["details"]["pitch_hz"] < 400
    assert "words.wav" in done.stderr


@pytest.mark.parametrize("cropped", [False, True])
def test_pictures(cropped: bool, tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((96, 96, 3), 128, dtype=np.uint8))
    done = mien("score", "face", *(["--cropped"] if cropped else []), path)
    assert done.returncode == 0, done.stderr
    (grey,) = _lines(done.stdout)
    assert list(grey) == KEYS
    assert grey["details"]["kind"] == "face"
    if not cropped:
        assert (grey["status"], grey["reason"]) == ("abstained", "no_face")


def test_a_picture_with_its_judgement_drawn_in(tmp_path: Path) -> None:
    path, drawn = tmp_path / "grey.png", tmp_path / "drawn.png"
    cv2.imwrite(str(path), np.full((480, 640, 3), 128, dtype=np.uint8))
    done = mien("score", "face", path, "--annotate", drawn)
    assert done.returncode == 0, done.stderr
    assert list(_lines(done.stdout)[0]) == KEYS
    picture = cv2.imread(str(drawn))
    assert picture is not None
    assert picture.shape[0] == 480
    assert (picture[:, :640] == 128).all()
    assert picture[:, 640:].min() < 60, "nothing is written beside it"


def test_a_picture_that_cannot_be_drawn(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((48, 48, 3), 128, dtype=np.uint8))
    done = mien("score", "face", path, "--annotate", tmp_path / "drawn.txt")
    assert done.returncode == 2
    assert ".jpg or .png" in done.stderr
