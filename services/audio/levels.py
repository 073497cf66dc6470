"""How loud a recording is from frame to frame: where its speech is, one level for all, and which frames count."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

HOP_SAMPLES: Final = 320
"""20 ms: the step of Whisper's encoder, so that levels, prosody and encoder frames lie side by side."""

SILENCE_DBFS: Final = -90.0

_AUDIBLE_DBFS: Final = -87.0
"""What is under it is digital silence, as a gap in a stream is filled with: a microphone's own noise lies over it."""

_FLOOR_PERCENTILE: Final = 5
_ACTIVE_RANGE_DB: Final = 30.0
_LEAST_RANGE_DB: Final = 10.0
_OVER_NOISE_DB: Final = 7.0
_SPOKEN_FRAMES: Final = 9
_MARGIN_FRAMES: Final = 2
_ENCODER_LEVEL_DBFS: Final = -26.0
_LOUDNESS_FRAMES: Final = 3
_UNHEARD_DB: Final = -16.0
_HEARD_DB: Final = -6.0

Samples = NDArray[np.float32]
Track = NDArray[np.float64]


def without_offset(samples: Samples) -> Samples:
    """Return a recording without the constant that a bad microphone or sound card adds to all that it records.

    Frames of nothing but zeros come from no microphone: they neither count for the mean nor change.

    Args:
        samples: float32 array of shape (n,), -1..1, 16 kHz, n >= 0.

    Returns:
        float32 array of shape (n,).
    """
    frames = np.pad(samples, (0, -len(samples) % HOP_SAMPLES)).reshape(-1, HOP_SAMPLES)
    recorded = np.repeat(frames.any(axis=1), HOP_SAMPLES)[: len(samples)]
    if not recorded.any():
        return samples
    offset = np.mean(samples[recorded], dtype=np.float64)
    return np.asarray(np.where(recorded, samples - offset, 0.0), dtype=np.float32)


def frame_levels(samples: Samples) -> Track:
    """Return the level of each 20 ms frame, dBFS, at least -90."""
    whole = np.pad(samples, (0, -len(samples) % HOP_SAMPLES)).astype(np.float64).reshape(-1, HOP_SAMPLES)
    return np.asarray(10.0 * np.log10(np.mean(whole**2, axis=1) + 10.0 ** (SILENCE_DBFS / 10.0)))


def active_frames(levels: Track) -> NDArray[np.bool_]:
    """Mark the frames that sound: within 30 dB of the loudest twentieth."""
    if levels.size == 0:
        return np.zeros(0, dtype=np.bool_)
    return np.asarray(levels > max(np.percentile(levels, 95) - _ACTIVE_RANGE_DB, _AUDIBLE_DBFS))


def noise_floor(levels: Track) -> float:
    """Return the level of the noise under an utterance, dBFS: the quietest twentieth of what is no digital silence.

    Args:
        levels: Level of each frame, float64 array of shape (frames,), frames >= 1, as :func:`frame_levels` gives them.
    """
    audible = levels[levels > _AUDIBLE_DBFS]
    return float(np.percentile(audible if audible.size else levels, _FLOOR_PERCENTILE))


def mean_db(levels: Track) -> float:
    """Return the level of the mean power, decibels."""
    return float(10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))))


def active_level_db(samples: Samples) -> float:
    """Return the level of what sounds in a recording, dBFS, at least -90."""
    levels = frame_levels(samples)
    active = active_frames(levels)
    return mean_db(levels[active]) if active.any() else SILENCE_DBFS


def normalise(samples: Samples) -> Samples:
    """Cut the silence or the noise around an utterance (0.1 s stays) and bring what is loud in it to -26 dBFS.

    The loudness of a recording says more of the microphone than of the mood.

    Args:
        samples: float32 array of shape (n,), -1..1, 16 kHz, n >= 1.

    Returns:
        float32 array of shape (m,), m <= n; unchanged where there is no sound.
    """
    levels = frame_levels(samples)
    threshold = _speech_threshold(levels)
    spoken = np.flatnonzero(_smoothed(levels, _SPOKEN_FRAMES) > threshold)
    loud = levels > threshold
    if not spoken.size or not loud.any():
        return samples
    first, last = max(0, spoken[0] - _MARGIN_FRAMES), spoken[-1] + _MARGIN_FRAMES + 1
    gain = 10.0 ** ((_ENCODER_LEVEL_DBFS - mean_db(levels[loud])) / 20.0)
    return np.asarray(samples[first * HOP_SAMPLES : last * HOP_SAMPLES] * np.float32(gain), dtype=np.float32)


def _speech_threshold(levels: Track) -> float:
    """Return the level that speech is over: 30 dB under the loudest twentieth, more where noise fills the pauses."""
    loudest = float(np.percentile(levels, 95))
    noise = float(np.percentile(_smoothed(levels, _SPOKEN_FRAMES), 5)) + _OVER_NOISE_DB
    return max(loudest - _ACTIVE_RANGE_DB, min(noise, loudest - _LEAST_RANGE_DB), _AUDIBLE_DBFS)


def _smoothed(levels: Track, frames: int) -> Track:
    """Average the power over so many frames around each, an odd number."""
    padded = np.pad(10.0 ** (levels / 10.0), frames // 2, mode="edge")
    return np.asarray(10.0 * np.log10(np.convolve(padded, np.full(frames, 1.0 / frames), "valid")))


def pool(frames: NDArray[np.float32], levels: Track) -> NDArray[np.float32]:
    """Return the mean over time of an utterance's encoder frames, its quiet ones left out.

    What is 16 dB under the loudest twentieth counts nothing, what is 6 dB under it counts in full: noise shows in
    the pauses of an utterance. Deviation and maximum did not help, on speakers or on corpora left out.

    Args:
        frames: float32 array of shape (frames, width), of the utterance alone and not of the silence after it.
        levels: Level of each frame, float64 array of shape (frames,), dB, as :func:`frame_levels` gives them.

    Returns:
        float32 array of shape (width,).
    """
    loudness = _smoothed(levels, _LOUDNESS_FRAMES)
    over = loudness - np.percentile(loudness, 95) - _UNHEARD_DB
    weights = np.clip(over / (_HEARD_DB - _UNHEARD_DB), 0.0, 1.0)
    return np.asarray(np.average(frames, axis=0, weights=weights), dtype=np.float32)
