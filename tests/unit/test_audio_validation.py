"""The prior, the folds, and what a treatment does to the figures."""

import numpy as np
import pytest

from services.audio.training.validation import EVERYDAY_MOOD, log_prior
from shared.emotions import MOOD_VECTOR, mood_of


def test_the_prior_has_the_mood_of_everyday_speech_and_is_otherwise_even() -> None:
    tilt = log_prior()
    prior = np.exp(tilt) / np.exp(tilt).sum()
    assert mood_of(prior) == pytest.approx(EVERYDAY_MOOD, abs=1e-6)
    slope = np.diff(np.sort(tilt)) / np.maximum(np.diff(np.sort(MOOD_VECTOR)), 1e-9)
    rising = np.diff(np.sort(MOOD_VECTOR)) > 0
    np.testing.assert_allclose(slope[rising], slope[rising][0])
