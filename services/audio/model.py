"""Whisper's encoder and the head on top of it: the only module here that touches an ML runtime."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.audio.levels import frame_levels, normalise, pool
from shared.emotions import EMOTIONS
from shared.errors import WeightsError
from shared.messages.score import ModelRef
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.runtime.litert import LiteRtModel
from shared.runtime.whisper_encoder import WhisperEncoder
from shared.weights import load_manifest

HEAD_NAME: Final = "head.tflite"
ENCODER_LAYERS: Final = 3
"""Of tiny.en's four; chosen among 1 to 4 on speakers and corpora left out."""

_MOST_IN_A_CALL: Final = 8
_BATCH_STEP_SAMPLES: Final = SAMPLE_RATE_HZ // 2
_TAIL_SAMPLES: Final = SAMPLE_RATE_HZ
"""Silence encoded after an utterance; five times as much changed nothing but the time it takes."""
_LONGEST_SAMPLES: Final = 30 * SAMPLE_RATE_HZ - _TAIL_SAMPLES
"""Whisper hears 30 s at most."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the model says of n utterances.

    Attributes:
        distributions: float64 array of shape (n, 7), rows summing to one, in the order of ``EMOTIONS``.
        arousals: float64 array of shape (n,), from calm (0) to excited (1); NaN where the head has not learned it.
    """

    distributions: NDArray[np.float64]
    arousals: NDArray[np.float64]


def hear(encoder: WhisperEncoder, samples: Sequence[Samples]) -> NDArray[np.float32]:
    """Return what the encoder hears in utterances, pooled: without their ends and all at one level.

    Args:
        encoder: The layers that the head was trained on.
        samples: float32 arrays of shape (n_i,), 16 kHz, n_i >= 1; what is beyond 29 s is not heard.

    Returns:
        float32 array of shape (utterances, width).
    """
    waves = [normalise(wave)[:_LONGEST_SAMPLES] for wave in samples]
    pooled: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(waves)
    for length, indices in batches_of_like_length([len(wave) for wave in waves], most=_MOST_IN_A_CALL):
        padded = np.stack([np.pad(waves[index], (0, length + _TAIL_SAMPLES - len(waves[index]))) for index in indices])
        for index, one in zip(indices, encoder(padded), strict=True):
            levels = frame_levels(waves[index])
            pooled[index] = pool(one[: len(levels)], levels)
    return np.stack(pooled)


def batches_of_like_length(lengths: Sequence[int], *, most: int) -> list[tuple[int, list[int]]]:
    """Group utterances whose lengths are the same to the next half second.

    All of a batch are padded to that half second, so that an utterance is encoded alike in whatever company.

    Args:
        lengths: Length of each utterance, samples.
        most: Largest batch.

    Returns:
        Batches: the length to pad to, samples, and the indices; together they name each utterance once.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, length in enumerate(lengths):
        by_length[-(-length // _BATCH_STEP_SAMPLES) * _BATCH_STEP_SAMPLES].append(index)
    return [
        (length, indices[first : first + most])
        for length, indices in sorted(by_length.items())
        for first in range(0, len(indices), most)
    ]


class AudioModel:
    """Tells emotion and arousal from the sound of utterances.

    Args:
        folder: The weights with their manifest.
        encoder: The layers of Whisper's encoder that the head was trained on: ``ENCODER_LAYERS``.
        threads: How many threads the head may use.

    Raises:
        WeightsError: If the weights are missing, altered, or label other emotions.
    """

    def __init__(self, folder: Path, encoder: WhisperEncoder, threads: int = 1) -> None:
        manifest = load_manifest(folder)
        if manifest.labels != tuple(EMOTIONS):
            raise WeightsError(f"The weights in {folder} do not label the seven emotions; train them again.")
        self.ref: ModelRef = manifest.ref
        self._encoder = encoder
        self._head = LiteRtModel(folder / HEAD_NAME, threads)

    def predict(self, samples: Sequence[Samples], shapes: Sequence[NDArray[np.float32]]) -> Prediction:
        """Judge utterances, those of like length in one call of the encoder.

        Args:
            samples: float32 arrays of shape (n_i,), 16 kHz, at least one utterance.
            shapes: ``Prosody.shape`` of each, float32 arrays of shape (PROSODY_WIDTH,).
        """
        outputs = self._head(encoder=hear(self._encoder, samples), prosody=np.stack(shapes).astype(np.float32))
        arousals = outputs["arousal"] if "arousal" in outputs else np.full(len(samples), np.nan)
        return Prediction(
            distributions=_normalised(outputs["distribution"].astype(np.float64)),
            arousals=np.clip(arousals.astype(np.float64).reshape(-1), 0.0, 1.0),
        )


def _normalised(distributions: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(distributions / distributions.sum(axis=-1, keepdims=True))
