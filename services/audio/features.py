"""What is measured in an utterance before any model: level, pitch, voicing, spectrum."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from services.audio.levels import (
    HOP_SAMPLES,
    SILENCE_DBFS,
    Samples,
    Track,
    active_frames,
    frame_levels,
    mean_db,
    noise_floor,
)
from shared.messages.speech import SAMPLE_RATE_HZ

PROSODY_WIDTH: Final = 10

_FRAME_SAMPLES: Final = 1024
_PITCH_MIN_HZ: Final = 65.0
_PITCH_MAX_HZ: Final = 500.0
_COMPARED_SAMPLES: Final = 512
_VOICED_APERIODICITY: Final = 0.3
_BANDS: Final = 24
_PEAK_BINS: Final = 3
_FEWEST_VOICED: Final = 3
_FULL_SCALE: Final = 0.985
_MAX_SNR_DB: Final = 60.0
_HIGH_PASS: Final = butter(2, 60.0, "highpass", fs=SAMPLE_RATE_HZ, output="sos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prosody:
    """What an utterance's level and pitch say; absolute, without any history.

    Attributes:
        duration_s: Length of the window, seconds.
        level_dbfs: RMS level of the active part, decibels relative to full scale; -90 for silence.
        energy_db: Level of the voiced part over the noise floor, decibels; 0 where nothing is voiced.
        snr_db: Signal to noise ratio, decibels, at most 60.
        pitch_hz: Median fundamental frequency of the voiced part, hertz; None where nothing is voiced.
        pitch_range_semitones: 10th to 90th percentile of the fundamental frequency, semitones; None likewise.
        voiced_s: Voiced duration, seconds.
        voiced_share: Voiced share of the window, 0..1.
        clipped_share: Share of samples at full scale, 0..1.
        level_range_db: 5th to 95th percentile of the level of 20 ms frames while there is sound, decibels.
        spectral_change_db: How much the spectrum's shape varies while there is sound, decibels: about 1 to 2 for
            hum, tones and steady noise, 5 and more for speech.
        harmonic_share: Share of the voiced part's power outside its strongest spectral peak, 0..1: near 0 for a
            whistle or a test tone.
        shape: float32 array of shape (PROSODY_WIDTH,): what the model gets, indifferent to gain and to the
            height of a voice.
    """

    duration_s: float
    level_dbfs: float
    energy_db: float
    snr_db: float
    pitch_hz: float | None
    pitch_range_semitones: float | None
    voiced_s: float
    voiced_share: float
    clipped_share: float
    level_range_db: float
    spectral_change_db: float
    harmonic_share: float
    shape: NDArray[np.float32]


def pitch_track(samples: Samples) -> tuple[Track, NDArray[np.bool_]]:
    """Return the fundamental frequency of each 20 ms frame and whether the frame is voiced.

    YIN (de Cheveigné and Kawahara, 2002), by librosa; a frame is voiced where the difference to itself one period
    later is under 0.3 of the mean difference over shorter lags: YIN's own measure of aperiodicity.

    Args:
        samples: float32 array of shape (n,), 16 kHz, n >= 1.

    Returns:
        float64 array of shape (frames,), hertz, and bool array of shape (frames,); frames = ceil(n / 320).
    """
    count = -(-len(samples) // HOP_SAMPLES)
    # Tiny noise under the signal keeps digital silence from looking perfectly periodic.
    dither = np.random.default_rng(0).normal(0.0, 1e-5, len(samples))
    clean = sosfiltfilt(_HIGH_PASS, samples + dither, padlen=min(15, len(samples) - 1))
    half = (_FRAME_SAMPLES - HOP_SAMPLES) // 2
    padded = np.pad(clean, (half, count * HOP_SAMPLES - len(clean) + _FRAME_SAMPLES))
    frames = librosa.util.frame(padded, frame_length=_FRAME_SAMPLES, hop_length=HOP_SAMPLES, axis=0)[:count]
    pitch = librosa.yin(
        padded[: (count - 1) * HOP_SAMPLES + _FRAME_SAMPLES],
        fmin=_PITCH_MIN_HZ,
        fmax=_PITCH_MAX_HZ,
        sr=SAMPLE_RATE_HZ,
        frame_length=_FRAME_SAMPLES,
        hop_length=HOP_SAMPLES,
        center=False,
    )
    return pitch, _aperiodicity(frames, SAMPLE_RATE_HZ / pitch) < _VOICED_APERIODICITY


def _aperiodicity(frames: Track, period: Track) -> Track:
    """Return YIN's cumulative mean normalised difference at a period (samples), its mean taken over eight lags."""
    lags = np.rint(period[:, None] * np.arange(1, 9) / 8).astype(np.intp)
    start = (_FRAME_SAMPLES - _COMPARED_SAMPLES - lags[:, -1:]) // 2
    here = start + np.arange(_COMPARED_SAMPLES)
    base = np.take_along_axis(frames, here, axis=1)
    difference = np.stack(
        [np.mean((base - np.take_along_axis(frames, here + lags[:, [k]], axis=1)) ** 2, axis=1) for k in range(8)]
    )
    return np.asarray(difference[-1] / np.maximum(difference.mean(axis=0), 1e-12))


def clipped_share(samples: Samples) -> float:
    """Return the share of samples at full scale, 0..1.

    Args:
        samples: float32 array of shape (n,), -1..1, n >= 1.
    """
    return float(np.mean(np.abs(samples) >= _FULL_SCALE))


def prosody(samples: Samples) -> Prosody:
    """Measure an utterance.

    Args:
        samples: float32 array of shape (n,), -1..1, 16 kHz, n >= 1.
    """
    levels = frame_levels(samples)
    active = active_frames(levels)
    pitch, periodic = pitch_track(samples)
    voiced = periodic & active
    floor = noise_floor(levels)
    level = mean_db(levels[active]) if active.any() else SILENCE_DBFS
    spectrum = _power_spectrum(samples)[: len(levels)]
    semitones = 12.0 * np.log2(pitch[voiced])
    return Prosody(
        duration_s=len(samples) / SAMPLE_RATE_HZ,
        level_dbfs=level,
        energy_db=mean_db(levels[voiced]) - floor if voiced.any() else 0.0,
        snr_db=_snr_db(level, floor),
        pitch_hz=float(np.median(pitch[voiced])) if voiced.any() else None,
        pitch_range_semitones=_spread(semitones, 10, 90) if voiced.any() else None,
        voiced_s=float(voiced.sum() * HOP_SAMPLES / SAMPLE_RATE_HZ),
        voiced_share=float(voiced.mean()),
        clipped_share=clipped_share(samples),
        level_range_db=_spread(levels[active], 5, 95) if active.any() else 0.0,
        spectral_change_db=_spectral_change(spectrum[active]),
        harmonic_share=_harmonic_share(spectrum[voiced]),
        shape=np.concatenate(
            [_melody(semitones, np.flatnonzero(voiced)), _dynamics(levels, voiced, active), _tilt(spectrum[active])]
        ).astype(np.float32),
    )


def _snr_db(level: float, floor: float) -> float:
    """Return the level over the floor with the floor's own power taken off, decibels, 0..60."""
    excess = max(10.0 ** ((level - floor) / 10.0) - 1.0, 1.0)
    return min(_MAX_SNR_DB, float(10.0 * np.log10(excess)))


def _spread(values: Track, low: float, high: float) -> float:
    bounds = np.percentile(values, [low, high])
    return float(bounds[1] - bounds[0])


def _power_spectrum(samples: Samples) -> Track:
    """Return the power spectrum of each 20 ms step, shape (frames, 513)."""
    padded = np.pad(samples, (0, max(0, _FRAME_SAMPLES - len(samples))))
    return np.asarray(
        np.abs(librosa.stft(padded, n_fft=_FRAME_SAMPLES, hop_length=HOP_SAMPLES)).T ** 2, dtype=np.float64
    )


@lru_cache(maxsize=1)
def _mel_bands() -> Track:
    return np.asarray(librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=_FRAME_SAMPLES, n_mels=_BANDS, fmax=6000.0))


def _spectral_change(spectrum: Track) -> float:
    """Return how far the bands move apart over time, decibels: the level of the whole frame does not count."""
    if len(spectrum) < 2:
        return 0.0
    bands = 10.0 * np.log10(spectrum @ _mel_bands().T + 1e-9)
    return float((bands - bands.mean(axis=1, keepdims=True)).std(axis=0).mean())


def _harmonic_share(spectrum: Track) -> float:
    """Return the share of power more than 50 Hz away from the strongest peak, 0..1."""
    if len(spectrum) == 0:
        return 0.0
    bins = np.arange(spectrum.shape[1])
    away = np.abs(bins - spectrum.argmax(axis=1)[:, None]) > _PEAK_BINS
    return float(np.mean((spectrum * away).sum(axis=1) / np.maximum(spectrum.sum(axis=1), 1e-12)))


def _melody(semitones: Track, at: NDArray[np.intp]) -> Track:
    """Return range, deviation, step size and slope of the pitch: semitones, the slope a second; zeros if unvoiced."""
    if len(semitones) < _FEWEST_VOICED:
        return np.zeros(4)
    steps = np.abs(np.diff(semitones))[np.diff(at) == 1]
    slope = np.polyfit(at * HOP_SAMPLES / SAMPLE_RATE_HZ, semitones, 1)[0]
    step = float(np.median(steps)) if steps.size else 0.0
    return np.array([_spread(semitones, 10, 90), semitones.std(), step, np.clip(slope, -30.0, 30.0)])


def _dynamics(levels: Track, voiced: NDArray[np.bool_], active: NDArray[np.bool_]) -> Track:
    """Return voiced share, deviation and range (dB) of the level while active, its slope, and voiced runs a second."""
    sounding = levels[active]
    if len(sounding) < _FEWEST_VOICED:
        return np.zeros(5)
    seconds = len(sounding) * HOP_SAMPLES / SAMPLE_RATE_HZ
    slope = np.polyfit(np.linspace(0.0, seconds, len(sounding)), sounding, 1)[0]
    runs = np.count_nonzero(np.diff(voiced.astype(np.int8)) == 1)
    share = voiced.sum() / len(sounding)
    return np.array([share, sounding.std(), _spread(sounding, 5, 95), np.clip(slope, -40.0, 40.0), runs / seconds])


def _tilt(spectrum: Track) -> Track:
    """Return the level above 1 kHz over the level below it, decibels: strained voices are brighter."""
    split = round(1000.0 * _FRAME_SAMPLES / SAMPLE_RATE_HZ)
    low, high = spectrum[:, :split].sum(), spectrum[:, split:].sum()
    return np.array([10.0 * np.log10((high + 1e-9) / (low + 1e-9))])
