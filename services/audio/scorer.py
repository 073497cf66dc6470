"""Judges how something was said; pure: windows in, judgements out."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.audio.features import Prosody, clipped_share, prosody
from services.audio.levels import Samples, without_offset
from services.audio.model import AudioModel
from shared.emotions import Modality, as_mapping, mood_of
from shared.messages.details import INTENSITIES, AudioDetails, Intensity
from shared.messages.score import Judgement, ModelRef, Status
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.scoring import SpeechWindow

_SHORTEST_S: Final = 0.4
_QUIETEST_DBFS: Final = -65.0
_CLIPPED_BEYOND_USE: Final = 0.1
_LEAST_VOICED_S: Final = 0.08
_LEAST_SPECTRAL_CHANGE_DB: Final = 1.8
_LEAST_HARMONIC_SHARE: Final = 0.05
_LEAST_LEVEL_RANGE_DB: Final = 2.5
_LEAST_PITCH_RANGE_SEMITONES: Final = 0.25

_FULL_QUALITY_SNR_DB: Final = 20.0
_FULL_QUALITY_VOICED_S: Final = 1.0

_INTENSITY_BOUNDS: Final = (0.25, 0.5, 0.75)


class AudioScorer:
    """Scores speech windows by sound alone.

    Args:
        model: Tells emotion and arousal.
    """

    modality: Final = Modality.AUDIO

    def __init__(self, model: AudioModel) -> None:
        self._model = model

    @property
    def model(self) -> ModelRef:
        """Which model it uses."""
        return self._model.ref

    def warm_up(self) -> None:
        """Run every path once: librosa compiles and imports for seconds in its first call."""
        wave = (0.1 * np.sin(np.arange(SAMPLE_RATE_HZ) / 20.0)).astype(np.float32)
        self._model.predict([wave], [prosody(wave).shape])

    def score(self, windows: Sequence[SpeechWindow]) -> list[Judgement]:
        """Return one judgement a window, in the same order; what carries no voice is abstained from, with a reason."""
        waves = [without_offset(window.samples) for window in windows]
        heard = [_measured(window.samples, wave) for window, wave in zip(windows, waves, strict=True)]
        reasons = [reason_to_abstain(sound) for sound in heard]
        chosen = [index for index, reason in enumerate(reasons) if reason is None]
        judgements = [_abstained(sound, reason) for sound, reason in zip(heard, reasons, strict=True)]
        sounds = [sound for sound, reason in zip(heard, reasons, strict=True) if sound is not None and reason is None]
        if not chosen:
            return judgements
        prediction = self._model.predict([waves[index] for index in chosen], [s.shape for s in sounds])
        for row, (index, sound) in enumerate(zip(chosen, sounds, strict=True)):
            judgements[index] = _scored(sound, prediction.distributions[row], float(prediction.arousals[row]))
        return judgements


def _measured(samples: Samples, wave: Samples) -> Prosody | None:
    """Measure an utterance without its offset; where the recorder clipped shows only with it."""
    return replace(prosody(wave), clipped_share=clipped_share(samples)) if len(samples) else None


def reason_to_abstain(sound: Prosody | None) -> str | None:
    """Return why a sound carries no mood: too_short, too_quiet, clipped, no_voice; None where it may carry one."""
    if sound is None or sound.duration_s < _SHORTEST_S:
        return "too_short"
    if sound.level_dbfs < _QUIETEST_DBFS:
        return "too_quiet"
    if sound.clipped_share > _CLIPPED_BEYOND_USE:
        return "clipped"
    return None if _is_voice(sound) else "no_voice"


def _is_voice(sound: Prosody) -> bool:
    """Tell speech from hum, tones and noise: a voice has harmonics, and its level, pitch and spectrum move."""
    return (
        sound.voiced_s >= _LEAST_VOICED_S
        and sound.level_range_db >= _LEAST_LEVEL_RANGE_DB
        and sound.spectral_change_db >= _LEAST_SPECTRAL_CHANGE_DB
        and sound.harmonic_share >= _LEAST_HARMONIC_SHARE
        and (sound.pitch_range_semitones or 0.0) >= _LEAST_PITCH_RANGE_SEMITONES
    )


def quality_of(sound: Prosody) -> float:
    """Return how good a sound is to judge from, 0..1: its noise, its clipping and how much of it is voiced."""
    clean = np.clip(sound.snr_db / _FULL_QUALITY_SNR_DB, 0.1, 1.0)
    unclipped = 1.0 - min(1.0, sound.clipped_share / _CLIPPED_BEYOND_USE)
    enough = min(1.0, sound.voiced_s / _FULL_QUALITY_VOICED_S)
    return float(clean * unclipped * enough)


def intensity_of(arousal: float) -> Intensity:
    """Return the class that an arousal, 0..1, falls into."""
    return INTENSITIES[bisect_right(_INTENSITY_BOUNDS, arousal)]


def _abstained(sound: Prosody | None, reason: str | None) -> Judgement:
    return Judgement(status=Status.ABSTAINED, reason=reason or "too_short", details=_details(sound))


def _scored(sound: Prosody, distribution: NDArray[np.float64], arousal: float) -> Judgement:
    heard = {} if isnan(arousal) else {"arousal": arousal, "intensity": intensity_of(arousal)}
    return Judgement(
        status=Status.SCORED,
        mood=float(mood_of(distribution)),
        distribution=as_mapping(distribution),
        confidence=float(distribution.max()),
        quality=quality_of(sound),
        details=_details(sound).model_copy(update=heard),
    )


def _details(sound: Prosody | None) -> AudioDetails:
    if sound is None:
        return AudioDetails()
    return AudioDetails(
        energy_db=sound.energy_db,
        level_dbfs=sound.level_dbfs,
        pitch_hz=sound.pitch_hz,
        pitch_range_semitones=sound.pitch_range_semitones,
        voiced_s=sound.voiced_s,
        voiced_share=sound.voiced_share,
        snr_db=sound.snr_db,
        clipped_share=sound.clipped_share,
    )
