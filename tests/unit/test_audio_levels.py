"""Where speech is, one level for all, and which frames count, on generated voices."""

import numpy as np
import pytest

from services.audio.levels import normalise, pool
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
