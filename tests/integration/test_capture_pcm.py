"""Raw sound from a pipe."""

import os
import threading

import numpy as np
import pytest

from services.capture.sources.pcm import PcmSource
from services.capture.sources.port import AudioBlock, Tick
from shared.errors import BadInputError


def tone(rate_hz: int, channels: int, length_s: float = 1.0) -> bytes:
    wave = 0.5 * np.sin(2 * np.pi * 300 * np.arange(round(rate_hz * length_s)) / rate_hz)
    return np.repeat((wave * 32767).astype("<i2"), channels).tobytes()


def write_in_pieces(end: int, data: bytes, size: int) -> None:
    with os.fdopen(end, "wb", buffering=0) as pipe:
        for start in range(0, len(data), size):
            pipe.write(data[start : start + size])


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (48_000, 2), (44_100, 1), (8_000, 1)])
def test_what_is_written_in_odd_pieces_is_heard_at_16_khz_without_a_gap(rate_hz: int, channels: int) -> None:
    read_end, write_end = os.pipe()
    writer = threading.Thread(target=write_in_pieces, args=(write_end, tone(rate_hz, channels), 3_001))
    writer.start()
    with os.fdopen(read_end, "rb") as stream:
        blocks = [item for item in PcmSource(stream, rate_hz, channels) if isinstance(item, AudioBlock)]
    writer.join()
    at = 0
    for block in blocks:
        assert block.start_s == at / 16_000
        at += len(block.samples)
    samples = np.concatenate([block.samples for block in blocks])
    assert len(samples) == pytest.approx(16_000, abs=1)
    middle = samples[4_000:12_000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), abs=0.02)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 150


def test_a_silent_pipe_lets_the_session_go_on() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream:
        items = iter(PcmSource(stream))
        assert isinstance(next(items), Tick)
        os.write(write_end, tone(16_000, 1, 0.1))
        while isinstance(item := next(items), Tick):
            pass
        os.close(write_end)
        assert sum(len(rest.samples) for rest in items if isinstance(rest, AudioBlock)) == 0
    assert len(item.samples) == 1_600


def test_whoever_writes_too_fast_has_to_wait_and_nothing_is_lost() -> None:
    read_end, write_end = os.pipe()
    data = tone(16_000, 1, 60.0)
    writer = threading.Thread(target=write_in_pieces, args=(write_end, data, 100_000))
    writer.start()
    with os.fdopen(read_end, "rb") as stream:
        items = iter(PcmSource(stream))
        first = next(items)
        writer.join(0.3)
        assert writer.is_alive()
        heard = sum(len(item.samples) for item in (first, *items) if isinstance(item, AudioBlock))
    writer.join()
    assert heard == 60 * 16_000


@pytest.mark.parametrize(("rate_hz", "channels"), [(100, 1), (16_000, 3), (16_000, 0)])
def test_sound_that_cannot_be_is_refused(rate_hz: int, channels: int) -> None:
    with open(os.devnull, "rb") as stream, pytest.raises(BadInputError, match="check both"):  # noqa: PTH123
        PcmSource(stream, rate_hz, channels)
