"""What the audio scorer abstains from, and how it grades the rest."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.audio.features import prosody
from services.audio.scorer import intensity_of, quality_of, reason_to_abstain
from services.audio.training.synthetic import nonspeech, voice


def _reason(wave: NDArray[np.floating]) -> str | None:
    return reason_to_abstain(prosody(wave.astype(np.float32)))


def test_a_voice_is_scored() -> None:
    assert [_reason(voice(pitch, 2.0)) for pitch in (90.0, 150.0, 260.0)] == [None, None, None]


def test_a_voice_in_noise_at_10_db_is_scored() -> None:
    wave = voice(150.0, 2.0)
    noise = np.random.default_rng(0).normal(0.0, 0.05 / 10 ** (10 / 20), len(wave))
    assert _reason(wave + noise) is None


def test_nothing_at_all_is_too_short() -> None:
    assert reason_to_abstain(None) == "too_short"
    assert _reason(voice(150.0, 0.3)) == "too_short"


def test_silence_is_too_quiet() -> None:
    assert _reason(np.zeros(16_000)) == "too_quiet"
    assert _reason(np.random.default_rng(0).normal(0.0, 1e-5, 32_000)) == "too_quiet"


def test_a_voice_clipped_beyond_use_is_clipped() -> None:
    assert _reason(np.clip(voice(150.0, 2.0) * 30, -1, 1)) == "clipped"


def test_of_100_sounds_that_are_no_voice_at_most_one_is_scored() -> None:
    assert sum(_reason(wave) is None for wave in nonspeech(100, seed=7)) <= 1


def test_quality_falls_with_noise_clipping_and_length() -> None:
    wave = voice(150.0, 3.0)
    best = quality_of(prosody(wave))
    noise = np.random.default_rng(0).normal(0.0, 0.03, len(wave)).astype(np.float32)
    assert quality_of(prosody(wave + noise)) < best
    assert quality_of(prosody(np.clip(wave * 6, -1, 1))) < best
    assert quality_of(prosody(wave[:8_000])) < best


@pytest.mark.parametrize(("arousal", "expected"), [(0.0, "calm"), (1.0, "high")])
def test_intensity_goes_from_calm_to_high(arousal: float, expected: str) -> None:
    assert intensity_of(arousal) == expected
