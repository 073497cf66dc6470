"""Spans of words without the pauses at their edges, and words parted as their own language parts them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import ctranslate2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.text.alignment import align, as_word, trim

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


@dataclass(frozen=True)
class _Language:
    """Stands for a tokeniser."""

    language_code: str


@dataclass
class _Aligner:
    """Stands for the recogniser: parts every utterance at its tokens, and notes whom it was asked about together."""

    asked: list[tuple[str, list[float]]] = field(default_factory=list)

    def find_alignment(
        self,
        tokenizer: _Language,
        tokens: Sequence[Sequence[int]],
        states: ctranslate2.StorageView,
        frames: Sequence[int],
    ) -> list[list[dict[str, object]]]:
        self.asked.append((tokenizer.language_code, np.asarray(states)[:, 0, 0].tolist()))
        assert len(tokens) == len(frames) == states.shape[0]
        return [
            [{"word": f" {token}", "start": 0.0, "end": count / 100, "probability": 1.0} for token in row]
            for row, count in zip(tokens, frames, strict=True)
        ]


@pytest.mark.parametrize(
    ("languages", "asked"),
    [
        (["zh", "en", "zh", "en"], [("zh", [0.0, 2.0]), ("en", [1.0, 3.0])]),
        (["en"] * 4, [("en", [0.0, 1.0, 2.0, 3.0])]),
    ],
)
def test_utterances_are_aligned_with_those_of_their_own_language(
    languages: list[str], asked: list[tuple[str, list[float]]]
) -> None:
    aligner, spans = _Aligner(), [(1.0, 1.4), (0.2, 0.5), (2.0, 2.2), (0.5, 2.5)]
    states = ctranslate2.StorageView.from_array(np.arange(4, dtype=np.float32).reshape(4, 1, 1))
    tokens = [[10], [11, 12], [13], [14]]
    words = align(aligner, states, [_Language(code) for code in languages], tokens, [_beeps(span) for span in spans])
    assert aligner.asked == asked
    assert [[word.text for word in row] for row in words] == [["10"], ["11", "12"], ["13"], ["14"]]
    assert [(row[0].start_s, row[0].end_s) for row in words] == [pytest.approx(span, abs=0.02) for span in spans]
