"""Where speech is, one level for all, and which frames count, on generated voices."""

import numpy as np
import pytest

from services.audio.levels import frame_levels, normalise, pool, without_offset
from services.audio.training.synthetic import voice


def test_encoder_hears_every_gain_alike() -> None:
    wave = voice(150.0, 2.0)
    np.testing.assert_allclose(normalise((wave * 0.1).astype(np.float32)), normalise(wave), atol=1e-4)


def test_silence_around_an_utterance_is_cut_and_a_margin_stays() -> None:
    wave = np.pad(voice(150.0, 1.0), (16_000, 24_000))
    assert len(normalise(wave)) == pytest.approx(16_000 + 2 * 1600, abs=1600)


def test_silence_stays_as_it_is() -> None:
    silence = np.zeros(16_000, dtype=np.float32)
    np.testing.assert_array_equal(normalise(silence), silence)


def test_noise_around_an_utterance_is_cut_as_silence_is() -> None:
    wave = np.pad(voice(150.0, 2.0), (16_000, 16_000))
    noise = np.random.default_rng(1).normal(0.0, 0.015, len(wave)).astype(np.float32)
    assert len(normalise(wave + noise)) < 0.7 * len(wave)


def test_pool_gives_the_mean_over_time_of_what_is_loud() -> None:
    frames = np.repeat(np.array([[0.0, 1.0], [2.0, 1.0], [9.0, 9.0]], dtype=np.float32), 10, axis=0)
    levels = np.repeat([-20.0, -20.0, -40.0], 10)
    np.testing.assert_allclose(pool(frames[:20], levels[:20]), [1.0, 1.0])
    np.testing.assert_allclose(pool(frames, levels), [1.0, 1.0], atol=0.5)


def test_an_offset_is_taken_off_and_gaps_of_zeros_stay_zero() -> None:
    wave = (0.02 * voice(150.0, 2.0)).astype(np.float32)
    shifted = wave + np.float32(0.01)
    shifted[8_000:12_800] = 0.0
    mended = without_offset(shifted)
    assert mended.dtype == np.float32
    assert not mended[8_000:12_800].any()
    np.testing.assert_allclose(frame_levels(mended)[:25], frame_levels(wave)[:25], atol=0.5)


@pytest.mark.parametrize("samples", [0, 1, 16_000])
def test_what_is_nothing_but_zeros_has_no_offset(samples: int) -> None:
    silence = np.zeros(samples, dtype=np.float32)
    np.testing.assert_array_equal(without_offset(silence), silence)
