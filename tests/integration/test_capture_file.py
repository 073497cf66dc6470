"""Reading real files that are made here with FFmpeg's own encoders."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock, VideoFrame
from shared.errors import BadInputError
from tests.films import FPS, LENGTH_S, SIZE, pictures, write_film

BOTH = [
    ("a.mp4", "libx264", "aac"),
    ("a.mov", "libx264", "aac"),
    ("a.mkv", "libx264", "flac"),
    ("a.webm", "libvpx", "libopus"),
    ("a.avi", "mpeg4", "libmp3lame"),
    ("a.mpg", "mpeg1video", "mp2"),
]
SOUND = [
    ("a.wav", "pcm_s16le"),
    ("a.flac", "flac"),
    ("a.mp3", "libmp3lame"),
    ("a.ogg", "libopus"),
    ("a.m4a", "aac"),
]


def read(source: FileSource) -> tuple[list[AudioBlock], list[VideoFrame]]:
    items = list(source)
    assert [item.start_s for item in items] == sorted(item.start_s for item in items)
    blocks = [item for item in items if isinstance(item, AudioBlock)]
    at = 0
    for block in blocks:
        assert block.start_s == at / 16_000
        at += len(block.samples)
    return blocks, [item for item in items if isinstance(item, VideoFrame)]


def check_sound(blocks: list[AudioBlock]) -> None:
    samples = np.concatenate([block.samples for block in blocks])
    assert samples.dtype == np.float32
    assert len(samples) / 16_000 == pytest.approx(LENGTH_S, abs=0.08)
    middle = samples[8_000:16_000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.4 / np.sqrt(2), abs=0.03)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(150, abs=1)


def check_frames(frames: list[VideoFrame]) -> None:
    assert len(frames) in {8, 9}
    assert np.diff([frame.at_s for frame in frames]) == pytest.approx(0.2, abs=0.05)
    assert frames[0].at_s == pytest.approx(0, abs=0.05)
    for frame in frames:
        assert frame.image.shape == (120, 160, 3)
        assert frame.image.dtype == np.uint8
        left, right = frame.image[:, :70].mean((0, 1)), frame.image[:, 90:].mean((0, 1))
        assert left[0] > left[2] + 120
        assert right[2] > right[0] + 120


@pytest.mark.parametrize(("name", "video", "audio"), BOTH)
def test_a_film_gives_sound_and_frames(tmp_path: Path, name: str, video: str, audio: str) -> None:
    source = FileSource(write_film(tmp_path / name, video, audio))
    assert (source.has_audio, source.has_video) == (True, True)
    assert source.duration_s == pytest.approx(LENGTH_S, abs=0.1)
    blocks, frames = read(source)
    check_sound(blocks)
    check_frames(frames)
    assert not source.damaged


@pytest.mark.parametrize(("name", "audio"), SOUND)
def test_a_sound_file_gives_sound_only(tmp_path: Path, name: str, audio: str) -> None:
    source = FileSource(write_film(tmp_path / name, None, audio))
    assert (source.has_audio, source.has_video) == (True, False)
    blocks, frames = read(source)
    check_sound(blocks)
    assert frames == []
    assert not source.damaged


def test_a_silent_film_gives_frames_only(tmp_path: Path) -> None:
    source = FileSource(write_film(tmp_path / "a.mp4", "libx264", None))
    assert (source.has_audio, source.has_video) == (False, True)
    blocks, frames = read(source)
    assert blocks == []
    check_frames(frames)


def test_what_is_not_wanted_is_not_read(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", "libx264", "aac")
    assert read(FileSource(path, video=False))[1] == []
    assert read(FileSource(path, audio=False))[0] == []
    silent = write_film(tmp_path / "b.mp4", "libx264", None)
    with pytest.raises(BadInputError, match=r"b\.mp4 holds no sound that"):
        FileSource(silent, video=False)


def test_it_can_be_read_twice(tmp_path: Path) -> None:
    source = FileSource(write_film(tmp_path / "a.mp4", "libx264", "aac"))
    assert [item.start_s for item in source] == [item.start_s for item in source]


@pytest.mark.parametrize(("fps", "count"), [(1.0, 2), (2.5, 4), (10.0, 16), (60.0, 40)])
def test_frames_are_sampled_at_the_rate_asked_for(tmp_path: Path, fps: float, count: int) -> None:
    _, frames = read(FileSource(write_film(tmp_path / "a.mp4", "libx264", None), fps))
    assert len(frames) == count


def test_large_pictures_are_made_small(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", "libx264", None, length_s=0.2, size=(1280, 720))
    _, frames = read(FileSource(path))
    assert [frame.image.shape for frame in frames] == [(360, 640, 3)]


def test_sound_that_starts_later_keeps_its_place(tmp_path: Path) -> None:
    blocks, frames = read(FileSource(write_film(tmp_path / "a.mkv", "libx264", "flac", sound_from_s=0.5)))
    samples = np.concatenate([block.samples for block in blocks])
    assert np.flatnonzero(np.abs(samples) > 0.05)[0] / 16_000 == pytest.approx(0.5, abs=0.01)
    assert frames[0].at_s == 0


def test_a_film_that_was_turned_is_shown_upright(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", "libx264", None, length_s=0.4)
    data = bytearray(path.read_bytes())
    upright = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    clockwise = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, SIZE[1] << 16, 0, 0x40000000)
    matrix = data.index(upright, data.index(b"tkhd"))
    data[matrix : matrix + 36] = clockwise
    path.write_bytes(data)
    _, frames = read(FileSource(path))
    assert frames[0].image.shape == (160, 120, 3)
    assert frames[0].image[:70].mean((0, 1))[0] > 180, "the left half is at the top after a clockwise quarter turn"


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_photograph_is_one_frame(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    image = pictures()[0].reformat(format="yuvj420p" if name.endswith("jpg") else "rgb24")
    codec = av.CodecContext.create("mjpeg" if name.endswith("jpg") else "png", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.time_base = *SIZE, Fraction(1, FPS)
    codec.pix_fmt = image.format.name
    path.write_bytes(b"".join(bytes(packet) for packet in [*codec.encode(image), *codec.encode(None)]))
    source = FileSource(path)
    blocks, frames = read(source)
    assert blocks == []
    assert [frame.at_s for frame in frames] == [0.0]
    assert not source.damaged


def test_cover_art_is_not_a_film(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp3", None, "libmp3lame")
    codec = av.CodecContext.create("png", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.time_base, codec.pix_fmt = *SIZE, Fraction(1, FPS), "rgb24"
    image = b"".join(bytes(packet) for packet in [*codec.encode(pictures()[0]), *codec.encode(None)])
    picture = b"\x00image/png\x00\x03\x00" + image
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\x00\x00" + picture
    length = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\x00\x00" + length + frame + path.read_bytes())
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 1
    source = FileSource(path)
    assert not source.has_video
    check_sound(read(source)[0])


def test_a_clip_without_anything_in_it_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\0\0\0")
    source = FileSource(path)
    assert read(source) == ([], [])
    assert not source.damaged


def test_realtime_gives_each_item_when_its_time_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    now = 100.0

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    monkeypatch.setattr("services.capture.sources.file.time.monotonic", lambda: now)
    monkeypatch.setattr("services.capture.sources.file.time.sleep", sleep)
    source = FileSource(write_film(tmp_path / "a.mp4", "libx264", "aac"), realtime=True)
    for item in source:
        assert now - 100.0 >= item.end_s - 1e-6
    assert sum(slept) == pytest.approx(LENGTH_S, abs=0.1)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("channels", [2, 3, 4, 6, 8])
def test_equal_channels_are_no_louder_than_one_however_many_there_are(
    tmp_path: Path, channels: int, subtype: str
) -> None:
    path = tmp_path / "a.wav"
    tone = 0.8 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), 48_000, subtype=subtype)
    samples = np.concatenate([block.samples for block in read(FileSource(path))[0]])
    assert np.abs(samples[1_000:-1_000]).max() == pytest.approx(0.8, abs=0.02)


def test_channels_that_nobody_knows_how_to_mix_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((48_000, 9)), 48_000)
    with pytest.raises(BadInputError, match="9 channels"):
        read(FileSource(path))


def test_one_voice_among_six_channels_is_still_heard(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    film = np.zeros((48_000, 6))
    film[:, 2] = 0.8 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)
    soundfile.write(path, film, 48_000)
    samples = np.concatenate([block.samples for block in read(FileSource(path))[0]])
    assert 0.1 < np.abs(samples).max() < 0.8
