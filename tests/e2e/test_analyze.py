"""``mien analyze`` as a person runs it: a process of its own, on the sample and on everything that may go wrong."""

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from shared import __version__
from shared.emotions import EMOTIONS, MODALITIES
from tests.e2e.command import SAMPLE, mien


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    report = tmp_path_factory.mktemp("report") / "report.html"
    done = mien("analyze", SAMPLE, "--json", "--report", report)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), report.read_text()


def test_sample_has_a_mood_with_its_evidence(analysis: tuple[dict[str, Any], str]) -> None:
    result, _ = analysis
    assert result["status"] == "complete"
    mood = result["mood"]
    assert 1 <= mood["low"] <= mood["score"] <= mood["high"] <= 5
    assert mood["label"]
    assert list(result["distribution"]) == [str(emotion) for emotion in EMOTIONS]
    assert sum(result["distribution"].values()) == pytest.approx(1, abs=0.01)
    assert list(result["modalities"]) == [str(modality) for modality in MODALITIES]
    assert sum(each["weight"] for each in result["modalities"].values()) == pytest.approx(1, abs=0.01)
    assert result["reason"] is None


def test_sample_is_heard_in_three_sentences_of_falling_mood(analysis: tuple[dict[str, Any], str]) -> None:
    happy, everyday, sad = (line["mood"] for line in analysis[0]["transcript"])
    assert happy > everyday > sad
    assert happy > 3.6
    assert sad < 2.6


def test_every_chunk_of_the_sample_is_accounted_for(analysis: tuple[dict[str, Any], str]) -> None:
    accounting = analysis[0]["accounting"]
    for row in accounting.values():
        assert row["published"] == row["scored"] + row["abstained"] + row["failed"] + row["expired"]
        assert row["failed"] == row["expired"] == 0
    assert accounting["text"]["published"] == accounting["audio"]["published"] == 3
    assert accounting["face"]["published"] >= 90


def test_report_stands_alone_and_says_the_same(analysis: tuple[dict[str, Any], str]) -> None:
    result, report = analysis
    assert f"{result['mood']['score']:.1f}" in report
    assert all(line["text"] in report for line in result["transcript"])
    assert "<polyline" in report
    assert "http://" not in report
    assert "https://" not in report


def test_card_shows_mood_modalities_transcript_and_accounting() -> None:
    done = mien("analyze", SAMPLE)
    assert done.returncode == 0, done.stderr
    for words in ("of 5", "80 %", "text", "audio", "face", "What was said", "published", "Next:"):
        assert words in done.stdout


def _video(path: Path, *, seconds: float = 1.0, sound: bool = False) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        audio = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for index in range(int(seconds * 10)):
            shade = np.full((240, 320, 3), 40 + index % 100, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode(None))
        if audio is not None:
            hum = (0.2 * np.sin(np.arange(int(16_000 * seconds)) * 2 * np.pi * 50 / 16_000)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(hum[None, :], format="fltp", layout="mono")
            frame.sample_rate = 16_000
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


@pytest.mark.parametrize("name", ["missing.mp4", "folder.mp4", "empty.mp4", "words.mp4", "words.wav", "cut.mp4"])
def test_what_is_not_media_ends_with_one_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "folder.mp4":
        path.mkdir()
    elif name.startswith("words"):
        path.write_text("These are words, not a recording.\n" * 50)
    elif name == "empty.mp4":
        path.touch()
    elif name == "cut.mp4":
        path.write_bytes(SAMPLE.read_bytes()[:3000])
    done = mien("analyze", path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert name in done.stderr


@pytest.mark.parametrize("sound", [False, True], ids=["no sound", "a hum and no face"])
def test_nothing_to_judge_is_said_and_not_guessed(sound: bool, tmp_path: Path) -> None:
    path = _video(tmp_path / "empty-room.mp4", sound=sound)
    done = mien("analyze", path, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["mood"] is None
    assert result["reason"] == "insufficient_evidence"
    assert result["modalities"]["face"]["abstained"] == result["accounting"]["face"]["published"] > 0
    assert result["modalities"]["face"]["reasons"]


def test_one_modality_alone_is_printed_though_there_is_no_room_for_its_evidence() -> None:
    done = mien("analyze", SAMPLE, "--json", "-m", "text", "--evidence", "/dev/full")
    assert done.returncode == 2
    assert "The evidence cannot be written to /dev/full: No space left on device." in done.stderr
    result = json.loads(done.stdout)
    assert list(result["modalities"]) == ["text"]
    assert result["modalities"]["text"]["weight"] == 1


@pytest.mark.parametrize(
    "command", [[], ["analyze"], ["capture"], ["live"], ["devices"], ["score"], ["score", "text"]], ids=" ".join
)
def test_help_explains_every_command(command: list[str]) -> None:
    done = mien(*command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert len(done.stdout.splitlines()) > 10


def test_version() -> None:
    assert mien("--version").stdout == f"mien {__version__}\n"
