"""The seven emotions in the one order that the whole system uses, and the mood that each stands for."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Emotion(StrEnum):
    """Ekman's six emotions and neutral, as FER+, GoEmotions (Ekman mapping) and the speech corpora share them."""

    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    JOY = "joy"
    NEUTRAL = "neutral"
    SADNESS = "sadness"
    SURPRISE = "surprise"


class Modality(StrEnum):
    """A way of reading a person. The order is the order in which results are shown."""

    TEXT = "text"
    AUDIO = "audio"
    FACE = "face"


EMOTIONS: Final[tuple[Emotion, ...]] = tuple(Emotion)
MODALITIES: Final[tuple[Modality, ...]] = tuple(Modality)

MOOD_VALUES: Final[dict[Emotion, float]] = {
    Emotion.ANGER: 1.25,
    Emotion.DISGUST: 1.5,
    Emotion.FEAR: 1.75,
    Emotion.JOY: 4.75,
    Emotion.NEUTRAL: 3.0,
    Emotion.SADNESS: 1.25,
    Emotion.SURPRISE: 3.25,
}
MOOD_VECTOR: Final[NDArray[np.float64]] = np.array([MOOD_VALUES[emotion] for emotion in EMOTIONS])
MOOD_MIN: Final = 1.0
MOOD_MAX: Final = 5.0


def mood_of(distribution: ArrayLike) -> NDArray[np.float64]:
    """Return the expected mood, 1 (very low) to 5 (very high), of distributions over :data:`EMOTIONS`.

    Args:
        distribution: float array of shape (..., 7) whose last axis sums to one, in the order of :data:`EMOTIONS`.

    Returns:
        float64 array of shape (...).
    """
    return np.asarray(np.asarray(distribution, dtype=np.float64) @ MOOD_VECTOR)


def as_mapping(distribution: ArrayLike) -> dict[Emotion, float]:
    """Name the seven numbers of a distribution of shape (7,) in the order of :data:`EMOTIONS`."""
    values = np.asarray(distribution, dtype=np.float64)
    return dict(zip(EMOTIONS, values.tolist(), strict=True))


def as_vector(distribution: Mapping[Emotion, float]) -> NDArray[np.float64]:
    """Return a named distribution as a float64 vector of shape (7,) in the order of :data:`EMOTIONS`."""
    return np.array([distribution[emotion] for emotion in EMOTIONS], dtype=np.float64)
