"""Spans of words without the pauses at their edges."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.text.alignment import as_word, trim

RATE = 16_000


def _beeps(*spans: tuple[float, float], seconds: float = 3.0) -> NDArray[np.float32]:
    times = np.arange(int(seconds * RATE)) / RATE
    sounding = np.any([(times >= start) & (times < end) for start, end in spans], axis=0)
    return np.asarray(0.3 * np.sin(2 * np.pi * 300 * times) * sounding, np.float32)


def test_a_pause_at_the_edges_is_cut() -> None:
    wave = _beeps((1.0, 1.4))
    assert trim(wave, 0.2, 2.5) == pytest.approx((1.0, 1.4), abs=0.02)


def test_a_pause_within_is_kept() -> None:
    wave = _beeps((1.0, 1.2), (1.4, 1.6))
    assert trim(wave, 0.9, 1.8) == pytest.approx((1.0, 1.6), abs=0.02)


@pytest.mark.parametrize("span", [(0.0, 0.0), (2.9, 3.5), (5.0, 6.0), (0.1, 0.5)])
def test_spans_without_sound_or_beyond_the_end_stay_in_order(span: tuple[float, float]) -> None:
    start, end = trim(_beeps((1.0, 1.4)), *span)
    assert 0 <= start <= end


def test_a_word_keeps_its_marks_and_a_probability_in_range() -> None:
    word = as_word({"word": " so,", "start": 0.9, "end": 1.5, "probability": 1.0000001}, _beeps((1.0, 1.4)))
    assert (word.text, word.probability) == ("so,", 1.0)
    assert word.start_s == pytest.approx(1.0, abs=0.02)
