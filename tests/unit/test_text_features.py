"""Windows over long texts, and their answers put together again."""

from itertools import pairwise

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
    windows,
)


@given(st.integers(0, 3000))
def test_no_word_piece_is_lost_and_no_window_is_too_long(length: int) -> None:
    pieces = list(range(1, length + 1))
    cut = windows([pieces])
    assert {piece for window in cut for piece in window.pieces} == set(pieces)
    assert all(len(window.pieces) <= WINDOW_PIECES for window in cut)


@given(st.integers(WINDOW_PIECES + 1, 3000))
def test_neighbouring_windows_overlap(length: int) -> None:
    cut = windows([range(length)])
    shared = [len(set(a.pieces) & set(b.pieces)) for a, b in pairwise(cut)]
    assert min(shared) >= OVERLAP_PIECES


def test_every_text_has_a_window_in_the_order_of_the_texts() -> None:
    cut = windows([[5], [], list(range(WINDOW_PIECES * 2)), [7]])
    assert [window.text for window in cut] == [0, 1, 2, 2, 2, 3]
    assert cut[1].pieces == ()


def test_a_batch_is_marked_and_padded() -> None:
    ids, mask = batch([(7, 8), ()], first=101, last=102)
    assert ids.tolist() == [[101, 7, 8, 102], [101, 102, 0, 0]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert ids.dtype == mask.dtype == np.int32


def test_windows_are_pooled_by_their_length() -> None:
    cut = [Window(0, (1,) * 28), Window(0, (1,) * 8), Window(1, (1,))]
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
    ("character", "symbol"), [("😊", True), ("☺", True), ("─", False), ("→", False), ("。", False)]
)
def test_emoji_are_told_from_lines_and_arrows(character: str, *, symbol: bool) -> None:
    assert is_symbol(character) is symbol
