"""``mien score``: one JSON object for each input, in order."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

from services.cli.inputs import read_utterance
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


def test_standard_input_that_is_no_text_is_said() -> None:
    command = [sys.executable, "-m", "services", "score", "text"]
    done = subprocess.run(command, input=b"caf\xe9\n", capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "mien: Standard input is not UTF-8 text; name a text file or a recording."
    ]


def test_text_files_one_of_them_missing(tmp_path: Path) -> None:
    one, missing, two = tmp_path / "one.txt", tmp_path / "missing.txt", tmp_path / "two.txt"
    one.write_text("Good morning.\nThank you so much!\n")
    two.write_text("Good night.\n")
    done = mien("score", "text", one, missing, two)
    lines = _lines(done.stdout)
    assert done.returncode == 2
    assert [line["input"] for line in lines] == ["Good morning.", "Thank you so much!", str(missing), "Good night."]
    assert (lines[2]["status"], lines[2]["reason"]) == ("failed", "unreadable")
    assert "missing.txt" in done.stderr


def test_recordings_one_of_them_unreadable(tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(32_000), 16_000)
    words = tmp_path / "words.wav"
    words.write_text("not a recording")
    holed = tmp_path / "holed.wav"
    samples = read_utterance(SAMPLE).samples
    samples[20_000:20_010] = np.nan
    soundfile.write(holed, samples, 16_000, subtype="FLOAT")
    done = mien("score", "audio", silence, words, SAMPLE, holed)
    assert done.returncode == 2
    quiet, unreadable, sample, mended = _lines(done.stdout)
    assert quiet["status"] == "abstained"
    assert (unreadable["status"], unreadable["reason"]) == ("failed", "unreadable")
    assert sample["status"] == "scored"
    assert 60 < sample["details"]["pitch_hz"] < 400
    assert mended["mood"] == pytest.approx(sample["mood"], abs=0.3)
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
