"""Spans of words without the pauses at their edges, and words parted as their own language parts them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ctranslate2
import numpy as np
import pytest
import tokenizers
from faster_whisper.tokenizer import _LANGUAGE_CODES, Tokenizer
from faster_whisper.transcribe import merge_punctuations
from numpy.typing import NDArray

from services.text.alignment import CLOSING, OPENING, UNSPACED, align, as_word, as_words, trim
from shared.runtime.whisper import load_whisper

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


@pytest.fixture(scope="module")
def pieces() -> tokenizers.Tokenizer:
    """Return the word pieces of the installed recogniser."""
    installed: tokenizers.Tokenizer = load_whisper().hf_tokenizer
    return installed


def _timings(pieces: tokenizers.Tokenizer, text: str) -> list[dict[str, Any]]:
    """Return the words of a text as the recogniser parts them, a tenth of a second each."""
    tokenizer = Tokenizer(pieces, multilingual=False)
    parted = zip(*tokenizer.split_to_word_tokens(tokenizer.encode(text)), strict=True)
    timings = [
        {"word": word, "tokens": tokens, "start": place / 10, "end": (place + 1) / 10, "probability": 0.5}
        for place, (word, tokens) in enumerate(parted)
    ]
    merge_punctuations(timings, OPENING, CLOSING)
    return timings


@pytest.mark.parametrize(
    "text",
    [
        " A half-hearted, not-so-good try.",
        " It costs 3.5 or 1,000 or $20, so 20% more.",
        ' She said "well-known" (at 7:30), and/or left...',
        "No space-before it",
    ],
)
def test_the_words_are_those_of_the_transcript(pieces: tokenizers.Tokenizer, text: str) -> None:
    words = as_words(_timings(pieces, text), "en", _beeps((0.0, 3.0)))
    assert [word.text for word in words] == text.split()


def test_a_joined_word_has_the_span_of_its_parts_and_their_mean_probability() -> None:
    spoken = [(" half", 0.9), ("-heart", 0.5), ("ed,", 0.4), (" yes", 1.0)]
    row = [
        {"word": word, "start": place / 2, "end": (place + 1) / 2, "probability": probability}
        for place, (word, probability) in enumerate(spoken)
    ]
    joined, alone = as_words(row, "en", _beeps((0.0, 3.0)))
    assert (joined.text, alone.text) == ("half-hearted,", "yes")
    assert (joined.start_s, joined.end_s) == pytest.approx((0.0, 1.5), abs=0.02)
    assert joined.probability == pytest.approx(0.6)


def test_words_of_a_language_without_spaces_stay_parted() -> None:
    row = [{"word": word, "start": 0.0, "end": 1.0, "probability": 1.0} for word in ("我", "非常", "难过")]
    assert [word.text for word in as_words(row, "zh", _beeps((0.0, 1.0)))] == ["我", "非常", "难过"]


def test_languages_without_spaces_are_those_that_the_recogniser_parts_at_characters(
    pieces: tokenizers.Tokenizer,
) -> None:
    tokens = pieces.encode(" antidisestablishmentarianism", add_special_tokens=False).ids
    parted = {
        code
        for code in _LANGUAGE_CODES
        if len(Tokenizer(pieces, multilingual=True, task="transcribe", language=code).split_to_word_tokens(tokens)[0])
        > 1
    }
    assert parted == UNSPACED
