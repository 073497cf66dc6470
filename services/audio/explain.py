"""How a voice goes on: energy and pitch frame by frame, and the mood of a window that slides along."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.audio.features import pitch_track
from services.audio.levels import HOP_SAMPLES, frame_levels, noise_floor, without_offset
from services.audio.scorer import AudioScorer
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.scoring import SpeechWindow

WINDOW_S: Final = 2.0
STEP_S: Final = 0.5

_AUDIBLE_DB: Final = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Energy, pitch and mood over time; NaN where there is none.

    Attributes:
        times_s: Middles of the 20 ms frames, float64 array of shape (frames,).
        energy_db: Level over the noise floor, at least 0 decibels, float64 array of shape (frames,).
        pitch_hz: Fundamental frequency of the voiced frames, hertz, float64 array of shape (frames,).
        window_times_s: Middles of the windows, float64 array of shape (windows,).
        moods: 1..5, NaN where the window was abstained from, float64 array of shape (windows,).
    """

    times_s: NDArray[np.float64]
    energy_db: NDArray[np.float64]
    pitch_hz: NDArray[np.float64]
    window_times_s: NDArray[np.float64]
    moods: NDArray[np.float64]


def course_of(samples: NDArray[np.float32], scorer: AudioScorer) -> Course:
    """Follow a voice through an utterance.

    Args:
        samples: float32 array of shape (n,), -1..1, 16 kHz, n >= 1.
        scorer: Judges the windows, of 2 s every half second; an utterance shorter than that is one window.
    """
    levels = frame_levels(without_offset(samples))
    energy = np.maximum(0.0, levels - noise_floor(levels))
    pitch, periodic = pitch_track(samples)
    starts = window_starts(len(samples))
    length = round(WINDOW_S * SAMPLE_RATE_HZ)
    windows = [
        SpeechWindow(session_id="explain", start_s=start / SAMPLE_RATE_HZ, samples=samples[start : start + length])
        for start in starts
    ]
    moods = [np.nan if judged.mood is None else judged.mood for judged in scorer.score(windows)]
    middles = [start + len(window.samples) / 2 for start, window in zip(starts, windows, strict=True)]
    return Course(
        times_s=(np.arange(len(levels)) + 0.5) * HOP_SAMPLES / SAMPLE_RATE_HZ,
        energy_db=energy,
        pitch_hz=np.where(periodic & (energy > _AUDIBLE_DB), pitch, np.nan),
        window_times_s=np.array(middles) / SAMPLE_RATE_HZ,
        moods=np.array(moods, dtype=np.float64),
    )


def window_starts(samples: int) -> list[int]:
    """Return where the windows of an utterance of some samples begin; the last one ends with it."""
    spare = max(0, samples - round(WINDOW_S * SAMPLE_RATE_HZ))
    steps = -(-spare // round(STEP_S * SAMPLE_RATE_HZ))
    return [round(spare * place / max(1, steps)) for place in range(steps + 1)]
