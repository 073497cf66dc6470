"""Fits what turns the network's raw outputs into honest ones, on development sets only."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

TEMPERATURES: Final = np.linspace(0.4, 2.0, 81)
SLOPES: Final = np.linspace(0.9, 1.8, 91)
SMOOTHING: Final = 9


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw outputs are mapped; it is part of the exported graph.

    Attributes:
        temperature: The logits are divided by it.
        slope: The valence is spread about 3 by it; 3 itself stays, so that what is neutral stays neutral.
    """

    temperature: float = 1.0
    slope: float = 1.0


def fit(
    logits: NDArray[np.float64], counts: NDArray[np.float64], valence: NDArray[np.float64], levels: NDArray[np.float64]
) -> Calibration:
    """Fit both numbers.

    Args:
        logits: Raw logits of an emotion development set, shape (n, 7).
        counts: How many labels of each text fall to each emotion, shape (n, 7).
        valence: Raw valence of a five-level development set, shape (m,).
        levels: The levels, 1..5, shape (m,).
    """
    return Calibration(fit_temperature(logits, counts), fit_scale(valence, levels))


def fit_temperature(logits: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Return the temperature whose top probability best foretells whether the top emotion is a label (log loss)."""
    right = counts[np.arange(len(counts)), logits.argmax(axis=1)] > 0
    losses = []
    for temperature in TEMPERATURES:
        top = np.clip(softmax(logits / temperature).max(axis=1), 1e-6, 1 - 1e-6)
        losses.append(-np.where(right, np.log(top), np.log(1 - top)).mean())
    return float(TEMPERATURES[int(np.argmin(losses))])


def fit_scale(valence: NDArray[np.float64], levels: NDArray[np.float64], slopes: NDArray[np.float64] = SLOPES) -> float:
    """Return the slope whose rounded score meets the levels most often.

    The accuracy is averaged over neighbouring slopes, so that a lucky spike is not chosen.
    """
    hits = np.array([(scale(valence, slope).round() == levels).mean() for slope in slopes])
    padded = np.pad(hits, SMOOTHING // 2, mode="edge")
    smooth = np.convolve(padded, np.full(SMOOTHING, 1 / SMOOTHING), mode="valid")
    return float(slopes[int(smooth.argmax())])


def scale(valence: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    """Return the calibrated valence, 1..5."""
    return np.clip(3.0 + slope * (valence - 3.0), 1.0, 5.0)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
