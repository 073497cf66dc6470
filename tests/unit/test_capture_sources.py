"""The pure parts of reading a file: mended timestamps, presentation order, sound without gaps."""

import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.capture.sources.clock import StreamClock
from services.capture.sources.interleave import Interleaver
from services.capture.sources.picture import PictureTrack, to_rgb
from services.capture.sources.port import AudioBlock, VideoFrame
from services.capture.sources.sound import SoundTrack

RATE = 48_000


def tone(start_s: float | None, length_s: float, *, channels: int = 1, rate: int = RATE) -> av.AudioFrame:
    count = round(length_s * rate)
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(count) / rate, dtype=np.float64).astype(np.float32)
    layout = {1: "mono", 2: "stereo"}[channels]
    frame = av.AudioFrame.from_ndarray(np.tile(wave, (channels, 1)), format="fltp", layout=layout)
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    frame.pts = None if start_s is None else round(start_s * rate)
    return frame


def heard(frames: list[av.AudioFrame], duration_s: float | None = 60.0) -> list[AudioBlock]:
    track = SoundTrack(StreamClock(0.0, duration_s))
    blocks = [block for frame in frames for block in track.add(frame)]
    return blocks + list(track.flush())


def length_s(blocks: list[AudioBlock]) -> float:
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(blocks))
    assert blocks[0].start_s == 0
    return blocks[-1].end_s


def picture(at_s: float | None, width: int = 64, height: int = 48) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.zeros((height, width, 3), dtype=np.uint8), format="rgb24")
    frame.time_base = Fraction(1, 1000)
    frame.pts = None if at_s is None else round(at_s * 1000)
    return frame


def test_the_clock_counts_on_where_a_timestamp_is_missing() -> None:
    clock = StreamClock(10.0, 60.0)
    assert [clock.place(t, 0.5) for t in (10.0, None, None, 11.5)] == [0.0, 0.5, 1.0, 1.5]


@pytest.mark.parametrize("leap_s", [-30.0, 5_000.0])
def test_the_clock_goes_on_after_a_leap(leap_s: float) -> None:
    clock = StreamClock(0.0, 60.0)
    assert [clock.place(t, 1.0) for t in (0.0, 1.0, 2.0 + leap_s, 3.0 + leap_s)] == [0.0, 1.0, 2.0, 3.0]


def test_the_clock_believes_a_gap_inside_the_recording() -> None:
    clock = StreamClock(0.0, 60.0)
    assert [clock.place(t, 1.0) for t in (0.0, 20.0, 21.0)] == [0.0, 20.0, 21.0]


def test_the_clock_of_what_happens_now_goes_on_after_a_leap_within_a_day() -> None:
    clock = StreamClock(0.0, None)
    placed = []
    for at_s in (0.0, 1.0, 602.0, 603.0):
        clock.believe_until(clock.reached_s + 5)
        placed.append(clock.place(at_s, 1.0))
    assert placed == [0.0, 1.0, 2.0, 3.0]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=60))
def test_interleaving_loses_nothing_and_orders_what_is_stored_close_together(steps: list[tuple[bool, int]]) -> None:
    interleaver = Interleaver({AudioBlock, VideoFrame})
    sound_s = image_s = 0.0
    pushed, given_out = 0, []
    for is_sound, tenths in steps:
        item: AudioBlock | VideoFrame
        if is_sound:
            sound_s = min(sound_s + tenths / 10, image_s + 1.9)
            item = AudioBlock(sound_s, np.zeros(1, dtype=np.float32))
        else:
            image_s = min(image_s + tenths / 10, sound_s + 1.9)
            item = VideoFrame(image_s, np.zeros((1, 1, 3), dtype=np.uint8))
        pushed += 1
        given_out += interleaver.push(item)
    given_out += interleaver.flush()
    assert len(given_out) == pushed
    assert [item.start_s for item in given_out] == sorted(item.start_s for item in given_out)


def test_interleaving_holds_two_seconds_at_most_when_one_stream_is_silent() -> None:
    interleaver = Interleaver({AudioBlock, VideoFrame})
    given_out = []
    for second in range(10):
        given_out += interleaver.push(VideoFrame(float(second), np.zeros((1, 1, 3), dtype=np.uint8)))
    assert [item.start_s for item in given_out] == [float(second) for second in range(8)]


def test_sound_of_any_rate_becomes_16_khz_mono_of_the_same_length() -> None:
    blocks = heard([tone(start, 0.5, channels=2, rate=44_100) for start in (0.0, 0.5, 1.0)])
    assert length_s(blocks) == pytest.approx(1.5, abs=0.001)
    assert all(block.samples.dtype == np.float32 for block in blocks)


def test_two_equal_channels_are_not_louder_than_one() -> None:
    samples = np.concatenate([block.samples for block in heard([tone(0.0, 1.0, channels=2)])])
    assert np.abs(samples[1_000:-1_000]).max() == pytest.approx(0.5, abs=0.01)


def test_sound_that_starts_late_has_silence_before_it() -> None:
    blocks = heard([tone(1.5, 0.5), tone(2.0, 0.5)])
    samples = np.concatenate([block.samples for block in blocks])
    assert length_s(blocks) == pytest.approx(2.5, abs=0.001)
    assert not samples[:24_000].any()
    assert samples[24_000:26_000].any()


def test_a_gap_is_filled_with_silence_and_an_overlap_is_dropped() -> None:
    gap = heard([tone(0.0, 0.5), tone(3.0, 0.5)])
    assert length_s(gap) == pytest.approx(3.5, abs=0.001)
    overlap = heard([tone(0.0, 0.5), tone(0.25, 0.25), tone(0.5, 0.5)])
    assert length_s(overlap) == pytest.approx(1.0, abs=0.001)


def test_small_differences_of_timestamps_change_nothing() -> None:
    blocks = heard([tone(index * 0.5 + (0.003 if index % 2 else 0.0), 0.5) for index in range(8)])
    assert length_s(blocks) == pytest.approx(4.0, abs=0.001)


def test_sound_and_timestamps_stay_together_while_they_drift() -> None:
    stretch = 1.002
    track = SoundTrack(StreamClock(0.0, 500.0))
    end_s = 0.0
    for index in range(400):
        for block in track.add(tone(index * stretch, 1.0, rate=16_000)):
            end_s = block.end_s
        assert abs(end_s - (index + 1) * stretch) < 0.05


def test_sound_whose_format_changes_in_the_middle_goes_on() -> None:
    blocks = heard([tone(0.0, 0.5), tone(0.5, 0.5, channels=2, rate=44_100), tone(1.0, 0.5)])
    assert length_s(blocks) == pytest.approx(1.5, abs=0.01)


def test_frames_are_sampled_by_time() -> None:
    track = PictureTrack(StreamClock(0.0, 60.0), fps=5.0, frame_s=0.04, pixel_aspect=1.0)
    taken = [track.add(picture(index / 30)) for index in range(30)]
    assert [round(frame.at_s, 3) for frame in taken if frame is not None] == [0.0, 0.2, 0.4, 0.6, 0.8]


def test_a_slow_source_gives_each_of_its_frames_once() -> None:
    track = PictureTrack(StreamClock(0.0, 60.0), fps=5.0, frame_s=0.5, pixel_aspect=1.0)
    taken = [track.add(picture(at_s)) for at_s in (0.0, None, None, 1.5)]
    assert [frame.at_s for frame in taken if frame is not None] == [0.0, 0.5, 1.0, 1.5]


@pytest.mark.parametrize(
    ("size", "aspect", "shape"),
    [
        ((1920, 1080), 1.0, (360, 640, 3)),
        ((320, 240), 1.0, (240, 320, 3)),
        ((1080, 1920), 1.0, (640, 360, 3)),
        ((720, 576), 16 / 15, (480, 640, 3)),
        ((2000, 1), 1.0, (1, 640, 3)),
    ],
)
def test_pictures_are_made_small_and_square_but_never_enlarged(
    size: tuple[int, int], aspect: float, shape: tuple[int, int, int]
) -> None:
    assert to_rgb(picture(0.0, *size), aspect).shape == shape
