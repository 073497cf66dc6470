"""Files that cannot be read, or only in part: a sentence, or what is there."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from services.cli.analyze import analyze_source
from shared.emotions import Modality
from shared.errors import BadInputError
from tests.films import write_film


def make_text(path: Path) -> None:
    path.write_text("This is not a film.\n" * 50)


def make_nothing(path: Path) -> None:
    path.touch()


def make_cut(path: Path) -> None:
    write_film(path, "libx264", "aac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def make_playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nother.ts\n#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        ("gone.mp4", lambda _: None, r"^There is no file .*gone\.mp4; check the name\.$"),
        ("folder.mp4", Path.mkdir, r"is a directory; give one media file\.$"),
        ("empty.mp4", make_nothing, r"is empty"),
        ("text.mp4", make_text, r"is not a media file"),
        ("text.txt", make_text, r"is not a media file"),
        ("list.m3u8", make_playlist, r"is not a media file"),
        ("cut.mp4", make_cut, r"is not a media file that can be read, or it is cut off"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(
    tmp_path: Path, name: str, make: Callable[[Path], None], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(BadInputError, match=says) as refused:
        FileSource(path)
    assert str(refused.value).count(". ") == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.wav", None, "pcm_s16le")
    path.chmod(0)
    with pytest.raises(BadInputError, match="cannot be read: Permission denied"):
        FileSource(path)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_a_frame_rate_that_makes_no_sense_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(BadInputError, match="frame rate"):
        FileSource(tmp_path / "a.mp4", fps)


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.mpg"])
def test_damage_in_the_middle_costs_only_what_is_damaged(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_film(tmp_path / name, "mpeg1video" if name == "a.mpg" else "mpeg4", "mp2", length_s=6.0)
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + len(data) // 6] = np.random.default_rng(1).bytes(len(data) // 6)
    path.write_bytes(data)
    source = FileSource(path)
    items = list(source)
    assert source.damaged
    assert min(item.start_s for item in items) < 1.0
    assert max(item.start_s for item in items) > 4.5
    assert capfd.readouterr() == ("", "")


def test_a_copy_that_was_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", "libx264", "flac", length_s=6.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = FileSource(path)
    items = list(source)
    assert source.damaged
    assert 1.0 < max(item.end_s for item in items) < 5.0


def test_a_file_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", "libx264", "aac")
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    path.write_bytes(data)
    source = FileSource(path)
    with pytest.raises(BadInputError, match="nothing in it can be decoded"):
        list(source)


def write_tone(path: Path, rate_hz: int, channels: int, bad: slice, value: float) -> NDArray[np.float32]:
    """Write two seconds of a tone as numbers of 32 bits, in which some are of another value; return the tone."""
    tone = (0.4 * np.sin(2 * np.pi * 300 * np.arange(2 * rate_hz) / rate_hz)).astype(np.float32)
    written = np.repeat(tone[:, None], channels, axis=1)
    written[bad] = value
    soundfile.write(path, written, rate_hz, subtype="FLOAT")
    return tone


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (44_100, 2)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_samples_that_are_no_numbers_cost_only_themselves(
    tmp_path: Path, rate_hz: int, channels: int, value: float
) -> None:
    path = tmp_path / "a.wav"
    tone = write_tone(path, rate_hz, channels, slice(rate_hz // 2, rate_hz // 2 + 10), value)
    source = FileSource(path)
    samples = np.concatenate([item.samples for item in source if isinstance(item, AudioBlock)])
    assert np.abs(samples).max() <= 1.0
    expected = np.interp(np.arange(len(samples)) / 16_000, np.arange(len(tone)) / rate_hz, tone)
    wrong = np.flatnonzero(np.abs(samples - expected) > 0.02)
    assert 0 < len(wrong) < 100
    assert wrong.min() / 16_000 == pytest.approx(0.5, abs=0.01)
    assert not source.damaged


def test_a_stretch_without_numbers_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_tone(path, 16_000, 1, slice(8_000, 24_000), np.nan)
    source = FileSource(path)
    samples = np.concatenate([item.samples for item in source if isinstance(item, AudioBlock)])
    assert not samples[8_000:24_000].any()
    assert source.damaged


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize(("pictures_s", "sound_s"), [(1.6, 6.0), (6.0, 1.6)])
def test_a_stream_that_is_shorter_than_another_one_that_is_not_read_is_not_damaged(
    tmp_path: Path, name: str, pictures_s: float, sound_s: float
) -> None:
    audio = "flac" if name == "a.mkv" else "aac" if name == "a.mp4" else "libmp3lame"
    path = write_film(tmp_path / name, "mpeg4", audio, length_s=pictures_s, sound_length_s=sound_s)
    for source in (FileSource(path), FileSource(path, audio=False), FileSource(path, video=False)):
        list(source)
        assert not source.damaged


@pytest.mark.parametrize(("name", "audio"), [("a.mkv", "flac"), ("a.webm", "libopus")])
def test_a_recording_whose_timestamps_start_late_is_not_damaged(tmp_path: Path, name: str, audio: str) -> None:
    source = FileSource(write_film(tmp_path / name, None, audio, sound_from_s=5.0))
    list(source)
    assert not source.damaged


def test_a_copy_that_was_cut_off_is_damaged_where_one_stream_is_read_too(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", "mpeg4", "flac", length_s=6.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = FileSource(path, video=False)
    list(source)
    assert source.damaged


def test_whoever_analyses_a_damaged_recording_is_told_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_film(tmp_path / "a.mkv", "mpeg4", None, length_s=3.0)
    analyze_source(path, [Modality.FACE], 1.0)
    assert "damaged" not in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    analyze_source(path, [Modality.FACE], 1.0)
    said = capsys.readouterr()
    assert "mien: the recording is damaged; this is what could be read of it." in said.err
    assert said.out == ""
