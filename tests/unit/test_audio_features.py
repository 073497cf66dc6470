"""Level, pitch and voicing, on generated voices."""

import numpy as np
import pytest

from services.audio.features import prosody
from services.audio.levels import frame_levels, noise_floor
from services.audio.model import batches_of_like_length
from services.audio.training.synthetic import voice


@pytest.mark.parametrize("pitch_hz", [90.0, 150.0, 260.0])
def test_pitch_of_a_voice_is_found_within_three_percent(pitch_hz: float) -> None:
    heard = prosody(voice(pitch_hz, 2.0, melody_semitones=0.0))
    assert heard.pitch_hz == pytest.approx(pitch_hz, rel=0.03)


def test_pitch_range_grows_with_the_melody() -> None:
    flat = prosody(voice(150.0, 3.0, melody_semitones=0.5))
    lively = prosody(voice(150.0, 3.0, melody_semitones=4.0))
    assert flat.pitch_range_semitones is not None
    assert lively.pitch_range_semitones is not None
    assert lively.pitch_range_semitones > flat.pitch_range_semitones + 3.0


@pytest.mark.parametrize("gain_db", [-12.0, 12.0])
def test_gain_moves_the_level_and_nothing_else(gain_db: float) -> None:
    wave = voice(150.0, 2.0)
    before, after = prosody(wave), prosody((wave * 10 ** (gain_db / 20)).astype(np.float32))
    assert after.level_dbfs - before.level_dbfs == pytest.approx(gain_db, abs=0.1)
    assert after.pitch_hz == pytest.approx(before.pitch_hz, rel=0.005)
    assert after.voiced_s == pytest.approx(before.voiced_s, abs=0.1)
    np.testing.assert_allclose(after.shape, before.shape, rtol=0.1, atol=0.3)


def test_silence_has_no_pitch() -> None:
    silence = np.zeros(16_000, dtype=np.float32)
    heard = prosody(silence)
    assert heard.pitch_hz is None
    assert heard.voiced_s == 0.0
    assert heard.level_dbfs == pytest.approx(-90.0, abs=0.1)


def test_a_noisier_voice_has_less_energy_over_its_floor() -> None:
    wave = voice(150.0, 3.0)
    noise = np.random.default_rng(1).normal(0.0, 0.01, len(wave)).astype(np.float32)
    clean, noisy = prosody(wave), prosody(wave + noise)
    assert noisy.snr_db < clean.snr_db - 6.0
    assert noisy.energy_db < clean.energy_db - 6.0


def test_a_gap_of_zeros_does_not_make_a_noisy_voice_clean() -> None:
    whole = voice(150.0, 3.0) + np.random.default_rng(1).normal(0.0, 0.02, 48_000).astype(np.float32)
    gapped = whole.copy()
    gapped[16_000:19_200] = 0.0
    before, after = prosody(whole), prosody(gapped)
    assert after.snr_db == pytest.approx(before.snr_db, abs=1.0)
    assert after.energy_db == pytest.approx(before.energy_db, abs=1.0)


def test_the_floor_of_a_voice_without_digital_silence_is_its_quietest_twentieth() -> None:
    levels = frame_levels(voice(150.0, 3.0))
    assert noise_floor(levels) == np.percentile(levels, 5)


def test_clipping_is_seen() -> None:
    wave = voice(150.0, 2.0)
    assert prosody(wave).clipped_share == 0.0
    assert prosody(np.clip(wave * 30, -1, 1).astype(np.float32)).clipped_share > 0.1


@pytest.mark.parametrize("samples", [1, 15, 319, 1023, 4_001])
def test_any_length_can_be_measured(samples: int) -> None:
    heard = prosody(voice(150.0, 1.0)[:samples])
    assert heard.duration_s == samples / 16_000
    assert np.isfinite(heard.shape).all()


def test_batches_name_each_utterance_once_and_pad_by_less_than_half_a_second() -> None:
    lengths = [16_000, 17_000, 31_000, 16_000, 23_999, 8_000]
    batches = batches_of_like_length(lengths, most=2)
    assert sorted(index for _, indices in batches for index in indices) == list(range(len(lengths)))
    for length, indices in batches:
        assert len(indices) <= 2
        assert all(0 <= length - lengths[index] < 8_000 for index in indices)
