"""What the audio scorer abstains from, and how it grades the rest."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from services.audio.features import prosody
from services.audio.scorer import intensity_of, quality_of, reason_to_abstain
from services.audio.training.synthetic import nonspeech, voice
from shared.messages.speech import SAMPLE_RATE_HZ

TIMES = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
SYLLABLES = 0.3 + 0.7 * np.sin(4 * np.pi * TIMES) ** 2


def phase(pitch_hz: float, semitones: float) -> NDArray[np.float64]:
    """Return the phase of a pitch that swings slowly so far to either side."""
    pitch = pitch_hz * 2 ** (semitones / 12 * np.sin(1.4 * np.pi * TIMES))
    return np.asarray(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ)


def drone(pitch_hz: float) -> NDArray[np.float64]:
    """Return a melody under a moving formant, at one loudness throughout."""
    harmonics = np.arange(1, 27)[:, None]
    formant = 500 + 220 * np.sin(3.8 * np.pi * TIMES)
    gains = np.exp(-(((harmonics * pitch_hz - formant) / 150) ** 2)) + 0.05
    gains /= np.sqrt((gains**2).sum(axis=0))
    return np.asarray(0.07 * (gains * np.sin(harmonics * phase(pitch_hz, 2))).sum(axis=0))


def siren() -> NDArray[np.float64]:
    """Return a buzz that swells and wavers, the same in all of its harmonics."""
    return np.asarray(0.02 * SYLLABLES * np.sin(np.arange(1, 61)[:, None] * phase(100, 0.5)).sum(axis=0))


def breath() -> NDArray[np.float64]:
    """Return breath in the rhythm of syllables, with two snatches of a voice in it."""
    wave = 0.03 * SYLLABLES * np.random.default_rng(0).normal(size=len(TIMES))
    for begin_s, pitch_hz in ((0.6, 110.0), (1.6, 200.0)):
        here = slice(int(begin_s * SAMPLE_RATE_HZ), int((begin_s + 0.03) * SAMPLE_RATE_HZ))
        wave[here] = drone(pitch_hz)[here]
    return np.asarray(wave)


NO_VOICE: dict[str, NDArray[np.floating]] = {
    "voiced_s": breath(),
    "level_range_db": drone(150),
    "spectral_change_db": siren(),
    "harmonic_share": 0.1 * SYLLABLES * np.sin(phase(300, 3)),
    "pitch_range_semitones": voice(150, 2, melody_semitones=0),
}


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


@pytest.mark.parametrize("rule", NO_VOICE)
def test_each_rule_refuses_what_no_other_does(rule: str) -> None:
    sound, spoken = prosody(NO_VOICE[rule].astype(np.float32)), prosody(voice(150.0, 2.0))
    assert reason_to_abstain(sound) == "no_voice"
    assert reason_to_abstain(replace(sound, **{rule: getattr(spoken, rule)})) is None


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
