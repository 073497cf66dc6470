"""FLAC and JPEG: what is sent is what is read, and nothing dangerous is decoded."""

import io

import cv2
import numpy as np
import pytest
import soundfile

from shared.errors import UndecodableMessageError
from shared.media.flac import decode_flac, encode_flac
from shared.media.jpeg import MAX_PIXELS, decode_jpeg, encode_jpeg, jpeg_size

TONE = (0.4 * np.sin(np.arange(16_000) * 0.05)).astype(np.float32)
PICTURE = np.dstack([np.tile(np.arange(160, dtype=np.uint8), (120, 1))] * 3)


def test_speech_survives_to_the_last_bit_of_16() -> None:
    np.testing.assert_allclose(decode_flac(encode_flac(TONE)), TONE, atol=2**-15)


def test_speech_over_full_scale_is_clipped_not_wrapped() -> None:
    assert decode_flac(encode_flac(4 * TONE)).max() == pytest.approx(1.0, abs=1e-3)


def _sound(rate: int = 16_000, channels: int = 1, seconds: float = 0.1, kind: str = "FLAC") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((int(rate * seconds), channels)), rate, format=kind, subtype="PCM_16")
    return buffer.getvalue()


def _stating(flac: bytes, samples: int) -> bytes:
    """Return FLAC with another count of samples in its header, 36 bits; 0 is what an encoder to a pipe writes."""
    rates_and_length = int.from_bytes(flac[18:26]) >> 36 << 36 | samples
    return flac[:18] + rates_and_length.to_bytes(8) + flac[26:]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"fLaC",
        b"not a sound",
        _sound(rate=8_000),
        _sound(channels=2),
        _sound(kind="WAV"),
        _sound(seconds=31),
        _sound(seconds=0),
        _stating(encode_flac(TONE), 20_000),
        encode_flac(np.tile(TONE, 5))[:-2000],
    ],
    ids=["empty", "header", "text", "rate", "stereo", "wav", "long", "no sample", "short", "cut"],
)
def test_other_sound_is_refused(data: bytes) -> None:
    with pytest.raises(UndecodableMessageError):
        decode_flac(data)


def test_speech_that_does_not_state_its_length_is_read() -> None:
    np.testing.assert_allclose(decode_flac(_stating(encode_flac(TONE), 0)), TONE, atol=2**-15)


def test_speech_of_unstated_length_may_not_be_longer_than_other_speech() -> None:
    assert len(decode_flac(_stating(_sound(seconds=30), 0))) == 480_000
    with pytest.raises(UndecodableMessageError, match="at most 30 s"):
        decode_flac(_stating(_sound(seconds=30.1), 0))


def test_picture_survives() -> None:
    decoded = decode_jpeg(encode_jpeg(PICTURE))
    assert decoded.shape == PICTURE.shape
    assert np.abs(decoded.astype(int) - PICTURE).mean() < 2


def test_colours_stay_red_green_blue() -> None:
    red = np.zeros((32, 32, 3), dtype=np.uint8)
    red[..., 0] = 255
    assert decode_jpeg(encode_jpeg(red)).mean(axis=(0, 1)) == pytest.approx([255, 0, 0], abs=4)


def test_size_is_read_from_the_header_alone() -> None:
    data = encode_jpeg(PICTURE)
    assert jpeg_size(data) == (120, 160)
    assert jpeg_size(data[: data.index(b"\xff\xda")]) == (120, 160)


def test_bomb_is_refused_before_it_is_decoded() -> None:
    data = bytearray(encode_jpeg(PICTURE))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = (60_000).to_bytes(2) + (60_000).to_bytes(2)
    with pytest.raises(UndecodableMessageError, match=str(MAX_PIXELS)):
        decode_jpeg(bytes(data))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x10", cv2.imencode(".png", PICTURE)[1].tobytes()]
)
def test_other_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UndecodableMessageError):
        decode_jpeg(data)
