"""Windows over long texts, and their answers put together again."""

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.text.features import (
    MAX_NAMED,
    OVERLAP_PIECES,
    WINDOW_PIECES,
    Window,
    batch,
    is_symbol,
    name_symbols,
    pool,
    sentence_starts,
    windows,
)

LENGTHS = st.lists(st.integers(1, 150), max_size=60)
"""Word pieces of each sentence of a text."""


def _text(lengths: Sequence[int]) -> tuple[range, list[int]]:
    """Return word pieces that are their own places, and which of them begin a sentence."""
    return range(sum(lengths)), list(accumulate(lengths))[:-1]


def _cut(lengths: Sequence[int]) -> list[Window]:
    pieces, starts = _text(lengths)
    return windows([pieces], [starts])


@given(LENGTHS)
def test_no_word_piece_is_lost_and_no_window_is_too_long(lengths: list[int]) -> None:
    cut = _cut(lengths)
    assert sorted({piece for window in cut for piece in window.pieces}) == list(range(sum(lengths)))
    assert all(len(window.pieces) <= WINDOW_PIECES for window in cut)
    assert sum(window.share for window in cut) == pytest.approx(sum(lengths))


@given(st.integers(WINDOW_PIECES + 1, 3000))
def test_neighbouring_windows_of_a_long_sentence_overlap(length: int) -> None:
    shared = [len(set(a.pieces) & set(b.pieces)) for a, b in pairwise(_cut([length]))]
    assert min(shared) >= OVERLAP_PIECES


@given(st.lists(st.integers(1, WINDOW_PIECES), min_size=1, max_size=60))
def test_sentences_that_fit_are_neither_cut_nor_read_twice(lengths: list[int]) -> None:
    cut = _cut(lengths)
    _, starts = _text(lengths)
    assert [piece for window in cut for piece in window.pieces] == list(range(sum(lengths)))
    if sum(lengths) > WINDOW_PIECES:
        assert {window.pieces[0] for window in cut} <= {0, *starts}


def test_sentences_are_packed_in_few_windows_of_like_length() -> None:
    assert [len(window.pieces) for window in _cut([10] * 7)] == [40, 30]
    assert [len(window.pieces) for window in _cut([10] * 13)] == [50, 50, 30]
    assert [len(window.pieces) for window in _cut([9, 80, 9])] == [9, WINDOW_PIECES, WINDOW_PIECES, 9]


@given(LENGTHS)
def test_the_cost_of_a_text_is_bounded_wherever_its_sentences_end(lengths: list[int]) -> None:
    assert len(_cut(lengths)) <= sum(lengths) / 21 + 2


def test_every_text_has_a_window_in_the_order_of_the_texts() -> None:
    cut = windows([[5], [], list(range(WINDOW_PIECES * 2)), [7]], [[]] * 4)
    assert [window.text for window in cut] == [0, 1, 2, 2, 2, 3]
    assert cut[1].pieces == ()


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("One. Two! Three", ["Two", "Three"]),
        ('He said "no." (Or did he?) I left.', ["(", "I"]),
        ("It costs 3.5 or so... What?! Yes", ["What", "Yes"]),
        ("no end", []),
        ("", []),
        ("The end.  ", []),
    ],
)
def test_sentences_begin_after_the_marks_that_end_them(text: str, begin: list[str]) -> None:
    offsets = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
    assert [text[slice(*offsets[start])] for start in sentence_starts(text, offsets)] == begin


def test_a_batch_is_marked_and_padded() -> None:
    ids, mask = batch([(7, 8), ()], first=101, last=102)
    assert ids.tolist() == [[101, 7, 8, 102], [101, 102, 0, 0]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert ids.dtype == mask.dtype == np.int32


def test_windows_are_pooled_by_what_they_stand_for() -> None:
    cut = [Window(0, (1,) * 28, 28), Window(0, (1,) * 40, 8), Window(1, (1,), 1)]
    pooled = pool(np.array([[4.0], [2.0], [3.0]]), cut, texts=2)
    assert pooled.ravel().tolist() == pytest.approx([3.5, 3.0])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("fine", "fine"),
        ("naïve café 日本 “so”", "naïve café 日本 “so”"),
        ("see you 😊", "see you  smiling face with smiling eyes "),
        ("👍🏽", " thumbs up "),
        ("❤️", " red heart "),
        ("👩\u200d🚀", " woman  rocket "),
        ("🥳", " partying face "),
        ("😤", " face with steam from nose "),
        ("😘", " face blowing a kiss "),
        ("😛", " face with tongue "),
        ("😝", " squinting face with tongue "),
        ("😜", " winking face with tongue "),
        ("🩷", " pink heart "),
        ("🩵", " light blue heart "),
        ("🩶", " grey heart "),
        ("🫨", " shaking face "),
        ("\U0001fae9", " face with bags under eyes "),
    ],
)
def test_emoji_are_read_by_their_names(text: str, named: str) -> None:
    assert name_symbols(text) == named


def test_only_the_first_emoji_of_very_many_are_read() -> None:
    named = name_symbols("so 😊" * 1000)
    assert named.count("smiling face with smiling eyes") == MAX_NAMED
    assert named.count("so") == 1000
    assert "😊" not in named


@pytest.mark.parametrize(
    ("character", "symbol"), [("😊", True), ("☺", True), ("🩷", True), ("─", False), ("→", False), ("。", False)]
)
def test_emoji_are_told_from_lines_and_arrows(character: str, *, symbol: bool) -> None:
    assert is_symbol(character) is symbol
