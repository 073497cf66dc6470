"""Generated sounds: a voice of known pitch, and what is no voice, to measure and to test with."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.messages.speech import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]
_Maker = Callable[[np.random.Generator, NDArray[np.float64]], NDArray[np.float64]]


def _silence(rng: np.random.Generator, times: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rng.normal(0.0, 1e-5, len(times)))


def _hum(rng: np.random.Generator, times: NDArray[np.float64]) -> NDArray[np.float64]:
    mains = rng.choice([50.0, 60.0])
    harmonics = [rng.uniform(0.1, 1.0) * np.sin(2 * np.pi * mains * k * times + rng.uniform(0, 6)) for k in range(1, 9)]
    return np.asarray(np.sum(harmonics, axis=0) + rng.normal(0.0, 0.05, len(times)))


def _noise(rng: np.random.Generator, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """White, pink or brown."""
    spectrum = np.fft.rfft(rng.normal(size=len(times)))
    frequencies = np.maximum(np.fft.rfftfreq(len(times), 1 / SAMPLE_RATE_HZ), 20.0)
    return np.asarray(np.fft.irfft(spectrum / frequencies ** rng.choice([0.0, 0.5, 1.0]), len(times)))


def _tone(rng: np.random.Generator, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """One to three steady tones, or one that sweeps or swells."""
    pitch = rng.uniform(80.0, 1500.0)
    steady = [np.sin(2 * np.pi * rng.uniform(80.0, 1500.0) * times) for _ in range(rng.integers(1, 4))]
    sweep = np.sin(2 * np.pi * (pitch * times + rng.uniform(20.0, 300.0) * times**2 / 2))
    swell = np.sin(2 * np.pi * pitch * times) * (1 + 0.9 * np.sin(2 * np.pi * 4 * times))
    return np.asarray([np.sum(steady, axis=0), sweep, swell][rng.integers(3)])


_MAKERS: Final[tuple[_Maker, ...]] = (_silence, _hum, _noise, _tone)


def nonspeech(count: int, seed: int) -> Iterator[Samples]:
    """Generate chunks of 0.6 to 6 s, a quarter each of silence, hum, noise and tones, at -50 to -1 dBFS peak.

    Yields:
        float32 arrays of shape (n,), 16 kHz.
    """
    rng = np.random.default_rng(seed)
    for place in range(count):
        times = np.arange(int(rng.uniform(0.6, 6.0) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        wave = _MAKERS[place % len(_MAKERS)](rng, times)
        peak = 10.0 ** (rng.uniform(-50.0, -1.0) / 20.0)
        loud = wave if place % len(_MAKERS) == 0 else wave / np.abs(wave).max() * peak
        yield loud.astype(np.float32)


def voice(pitch_hz: float, seconds: float, *, melody_semitones: float = 2.0, seed: int = 0) -> Samples:
    """Generate syllables of a voice: harmonics of a moving pitch under moving formants, with a little breath.

    Args:
        pitch_hz: Mean (geometric) fundamental frequency, hertz.
        seconds: Length.
        melody_semitones: How far the pitch swings to either side.
        seed: Draws breath and formants.

    Returns:
        float32 array of shape (n,), 16 kHz, about -26 dBFS.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch = pitch_hz * 2.0 ** (melody_semitones / 12.0 * np.sin(2 * np.pi * 0.7 * times))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    first = 500.0 + 220.0 * np.sin(2 * np.pi * 1.9 * times + rng.uniform(0, 6))
    second = 1500.0 + 500.0 * np.sin(2 * np.pi * 1.3 * times + rng.uniform(0, 6))
    wave = rng.normal(0.0, 0.02, len(times))
    for harmonic in range(1, int(4000.0 / pitch_hz)):
        at = harmonic * pitch
        gain = np.exp(-(((at - first) / 150.0) ** 2)) + 0.5 * np.exp(-(((at - second) / 250.0) ** 2)) + 0.05
        wave = wave + gain * np.sin(harmonic * phase)
    syllables = np.clip(1.5 * np.sin(2 * np.pi * 2.0 * times) ** 2 - 0.2, 0.0, 1.0)
    spoken = wave * syllables + rng.normal(0.0, 0.002, len(times))
    return np.asarray(spoken * 0.05 / np.sqrt(np.mean(spoken**2)), dtype=np.float32)
