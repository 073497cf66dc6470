"""Recordings are worsened as far as it says, and altered alike in every run."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.audio.levels import active_level_db
from services.audio.training.synthetic import voice
from services.audio.training.treatments import ALTERED, BABBLED, GAIN_DB, mixed, worsened_by

WAVE = voice(150.0, 2.0)
TREATMENTS = worsened_by([voice(90.0 + 20.0 * place, 2.5, seed=place) for place in range(8)])


@pytest.mark.parametrize("name", ["white", "babble", "traffic"])
def test_noise_is_ten_decibels_below_the_voice(name: str) -> None:
    noise = TREATMENTS[name](WAVE, np.random.default_rng(0)) - WAVE
    power_db = 10.0 * np.log10(np.mean(noise**2))
    assert active_level_db(WAVE) - power_db == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize(("name", "gain_db"), [("quieter", -GAIN_DB), ("louder", GAIN_DB)])
def test_gain_moves_the_level_and_stays_within_full_scale(name: str, gain_db: float) -> None:
    changed = TREATMENTS[name](WAVE, np.random.default_rng(0))
    assert active_level_db(changed) - active_level_db(WAVE) == pytest.approx(gain_db, abs=1.0)
    assert np.abs(TREATMENTS[name](20 * WAVE, np.random.default_rng(0))).max() <= 1.0


def test_opus_keeps_the_length_and_the_shape_but_not_every_sample() -> None:
    decoded = TREATMENTS["opus"](WAVE, np.random.default_rng(0))
    assert decoded.shape == WAVE.shape
    assert 0.8 < np.corrcoef(WAVE, decoded)[0, 1] < 0.9999


def test_altered_recordings_differ_by_draw_and_not_by_run() -> None:
    first, again, other = (ALTERED.apply(WAVE, np.random.default_rng(seed), []) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or not np.allclose(first, other)
    assert all(np.isfinite(wave).all() for wave in (first, other))


@pytest.mark.parametrize("seed", range(4))
def test_babble_is_the_voices_given_five_to_twenty_decibels_below(tmp_path: Path, seed: int) -> None:
    neutral = [tmp_path / f"{place}.wav" for place in range(4)]
    for place, file in enumerate(neutral):
        soundfile.write(file, voice(100.0 + 20.0 * place, 2.0, seed=place), 16_000)
    alone, among_voices = (BABBLED.apply(WAVE, np.random.default_rng(seed), files) for files in ([], neutral))
    babble = among_voices - alone
    assert 5.0 <= active_level_db(alone) - 10.0 * np.log10(np.mean(babble**2)) <= 20.0
    again = BABBLED.apply(WAVE, np.random.default_rng(seed), neutral)
    np.testing.assert_array_equal(again, among_voices)


def test_noise_over_silence_is_silent_too() -> None:
    silence = np.zeros(16_000, dtype=np.float32)
    assert active_level_db(mixed(silence, WAVE[:16_000], 10.0)) < -80.0
