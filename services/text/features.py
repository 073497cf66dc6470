"""Turns word pieces into windows that the model reads, and the windows' answers into one answer a text."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW_PIECES: Final = 62
"""Most word pieces in a window, without the two that mark its ends."""

OVERLAP_PIECES: Final = 16
"""Least number of word pieces that neighbouring windows share, so that a negation is not cut from what it negates."""

MAX_NAMED: Final = 128
"""Most emoji of one text that are read: a name has up to 26 word pieces, and what follows so many says no more."""

_FIRST_SYMBOL: Final = 0x2600
_NAMES: Final = {"\N{HEAVY BLACK HEART}": "red heart", "\N{POUTING FACE}": "enraged face"}
"""Emoji whose names in Unicode's CLDR, made for reading aloud, say better what they stand for."""

_NOT_SAID: Final = frozenset({"black", "white", "heavy", "sign"})
"""Words of Unicode's names that tell of the drawing, not of what it stands for."""


def is_symbol(character: str) -> bool:
    """Return whether a character is an emoji or another symbol that people write moods with."""
    return ord(character) >= _FIRST_SYMBOL and unicodedata.category(character) == "So"


def name_symbols(text: str) -> str:
    """Return a text with its emoji as the words of their Unicode names: the word pieces know hardly any emoji.

    Those after the first :data:`MAX_NAMED` are left out.
    """
    if text.isascii():
        return text
    named = map(_name, islice(filter(is_symbol, text), MAX_NAMED))
    return "".join(next(named, "") if is_symbol(character) else _plain(character) for character in text)


def _name(symbol: str) -> str:
    words = _NAMES.get(symbol) or unicodedata.name(symbol, "").lower()
    return f" {' '.join(word for word in words.split() if word not in _NOT_SAID)} "


def _plain(character: str) -> str:
    tone = "\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}" <= character <= "\N{EMOJI MODIFIER FITZPATRICK TYPE-6}"
    unseen = unicodedata.category(character) == "Cf" or character == "\N{VARIATION SELECTOR-16}"
    return "" if tone or unseen else character


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one text.

    Attributes:
        text: Index of the text.
        pieces: Word-piece ids without the two that mark the ends.
    """

    text: int
    pieces: tuple[int, ...]


def windows(texts: Sequence[Sequence[int]]) -> list[Window]:
    """Cut texts into windows of nearly equal length that overlap and together hold every word piece.

    Args:
        texts: Word-piece ids of each text. A text without any gets one empty window.

    Returns:
        The windows in the order of the texts, at most :data:`WINDOW_PIECES` long.
    """
    return [
        Window(index, tuple(pieces[start:end]))
        for index, pieces in enumerate(texts)
        for start, end in _spans(len(pieces))
    ]


def batch(pieces: Sequence[Sequence[int]], first: int, last: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return ids and mask, int32 of shape (batch, longest + 2), each row between its end marks and padded with 0."""
    shape = (len(pieces), max(map(len, pieces)) + 2)
    ids, mask = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for row, window in enumerate(pieces):
        ids[row, : len(window) + 2] = (first, *window, last)
        mask[row, : len(window) + 2] = 1
    return ids, mask


def pool(values: NDArray[np.float64], cut: Sequence[Window], texts: int) -> NDArray[np.float64]:
    """Return the mean of the windows' values for each text, weighted by their length.

    Args:
        values: A row for each window, shape (windows, ...).
        cut: The windows.
        texts: Number of texts; each has at least one window.

    Returns:
        Shape (texts, ...).
    """
    weights = np.zeros((texts, len(cut)))
    for column, window in enumerate(cut):
        weights[window.text, column] = len(window.pieces) + 2
    return np.asarray((weights / weights.sum(axis=1, keepdims=True)) @ values)


def _spans(length: int) -> list[tuple[int, int]]:
    if length <= WINDOW_PIECES:
        return [(0, length)]
    count = -(-(length - OVERLAP_PIECES) // (WINDOW_PIECES - OVERLAP_PIECES))
    starts = np.linspace(0, length - WINDOW_PIECES, count).round().astype(int)
    return [(int(start), int(start) + WINDOW_PIECES) for start in starts]
