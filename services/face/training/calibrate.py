"""A network's answers brought to those of panels that it was not trained on."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.face.training.dataset import Panel
from services.face.training.evaluate import calibration_error
from shared.emotions import EMOTIONS, Emotion, mood_of

Logits = NDArray[np.float32]

_SHARPENINGS: Final = (1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3)
_MAX_CALIBRATION_ERROR: Final = 0.03
_EVEN_ENOUGH: Final = 0.1
_STEP: Final = 0.15
_MAX_STEPS: Final = 60
_NEVER_EVENED: Final = EMOTIONS.index(Emotion.DISGUST)
"""So few panels agree on disgust that making it as frequent as theirs would mean guessing it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Vector scaling of logits (Guo et al., 2017, https://arxiv.org/abs/1706.04599) with one slope for all classes.

    Attributes:
        scale: The inverse temperature.
        bias: float32 array of shape (8,).
    """

    scale: float
    bias: NDArray[np.float32]

    def logits(self, raw: Logits) -> Logits:
        """Return the calibrated logits of a network's, both of shape (n, 8)."""
        return np.asarray(raw * np.float32(self.scale) + self.bias, dtype=np.float32)

    def distribution(self, raw: Logits) -> NDArray[np.float64]:
        """Return what is served for a network's logits of shape (n, 8): distributions of shape (n, 7)."""
        odds = self.logits(raw)[:, : len(EMOTIONS)].astype(np.float64)
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


UNCALIBRATED: Final = Calibration(1.0, np.zeros(len(EMOTIONS) + 1, dtype=np.float32))


def calibrate(raw: Logits, panel: Panel) -> Calibration:
    """Fit to the votes, then sharpen as far as the votes allow, then make each emotion as frequent as panels do.

    Args:
        raw: The network's logits, float32 array of shape (n, 8).
        panel: The same faces' votes; rows without a vote for an emotion count for the first step only.
    """
    fitted = fit_to_votes(raw, panel.shares)
    named = panel.votes[:, : len(EMOTIONS)].sum(axis=1) > 0
    raw, distribution = raw[named], panel.take(named).distribution.astype(np.float64)
    return even_out(sharpen(fitted, raw, distribution), raw, distribution)


def fit_to_votes(raw: Logits, shares: NDArray[np.float32]) -> Calibration:
    """Fit slope and bias to the shares of the votes, float32 array of shape (n, 8), by cross-entropy."""

    # the penalty keeps the bias of an answer with few votes near none
    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = raw * np.exp(parameters[0]) + parameters[1:]
        log_sum = np.logaddexp.reduce(scaled, axis=1)
        return float((log_sum - (shares * scaled).sum(axis=1)).mean() + 1e-3 * (parameters[1:] ** 2).sum())

    fitted = minimize(loss, np.zeros(1 + raw.shape[1]), method="L-BFGS-B").x
    return Calibration(float(np.exp(fitted[0])), fitted[1:].astype(np.float32))


def sharpen(calibration: Calibration, raw: Logits, panel: NDArray[np.float64]) -> Calibration:
    """Return the sharper calibration whose mood errs least, as long as its confidence stays as good as its word.

    Cross-entropy gives the mean of what panels say; the mood's absolute error is least at their median,
    which is sharper.

    Args:
        calibration: What :func:`fit_to_votes` gave.
        raw: Logits of shape (n, 8).
        panel: The panel's distributions of shape (n, 7).
    """
    each = [Calibration(calibration.scale * factor, calibration.bias * np.float32(factor)) for factor in _SHARPENINGS]
    kept = [one for one in each if calibration_error(one.distribution(raw), panel) <= _MAX_CALIBRATION_ERROR]
    return min(
        kept or [calibration], key=lambda one: np.abs(mood_of(one.distribution(raw)) - mood_of(panel)).mean().item()
    )


def even_out(calibration: Calibration, raw: Logits, panel: NDArray[np.float64]) -> Calibration:
    """Shift the bias until each emotion is the top answer about as often as it is the panel's majority.

    The majority of panels is what is compared: an emotion that is often someone's second thought would else never win.

    Args:
        calibration: What :func:`sharpen` gave.
        raw: Logits of shape (n, 8).
        panel: The panel's distributions of shape (n, 7).
    """
    wanted = np.bincount(panel.argmax(axis=1), minlength=len(EMOTIONS)) / len(panel)
    for _ in range(_MAX_STEPS):
        given = np.bincount(calibration.distribution(raw).argmax(axis=1), minlength=len(EMOTIONS)) / len(raw)
        lacking = np.log((wanted + 1 / len(raw)) / (given + 1 / len(raw)))
        lacking[_NEVER_EVENED] = 0
        lacking[np.abs(lacking) < _EVEN_ENOUGH] = 0
        if not lacking.any():
            break
        bias = calibration.bias.copy()
        bias[: len(EMOTIONS)] += (_STEP * lacking).astype(np.float32)
        calibration = replace(calibration, bias=bias)
    return calibration
