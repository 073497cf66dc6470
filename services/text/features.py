"""Turns word pieces into windows that the model reads, and the windows' answers into one answer a text."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW_PIECES: Final = 62
"""Most word pieces in a window, without the two that mark its ends."""

OVERLAP_PIECES: Final = 16
"""Least number of word pieces that the windows of one long sentence share with their neighbours.

So a negation is not cut from what it negates.
"""

MAX_NAMED: Final = 128
"""Most emoji of one text that are read: a name has up to 26 word pieces, and what follows so many says no more."""

_SENTENCE_END: Final = re.compile(r"""[.!?]["')\]\u2019\u201d]*(?=\s)""")
_FIRST_SYMBOL: Final = 0x2600
_NAMES: Final = {
    "\N{HEAVY BLACK HEART}": "red heart",
    "\N{POUTING FACE}": "enraged face",
    "\N{FACE WITH PARTY HORN AND PARTY HAT}": "partying face",
    "\N{FACE WITH LOOK OF TRIUMPH}": "face with steam from nose",
    "\N{FACE THROWING A KISS}": "face blowing a kiss",
    "\N{FACE WITH STUCK-OUT TONGUE}": "face with tongue",
    "\N{FACE WITH STUCK-OUT TONGUE AND TIGHTLY-CLOSED EYES}": "squinting face with tongue",
    "\N{FACE WITH STUCK-OUT TONGUE AND WINKING EYE}": "winking face with tongue",
    # Python 3.11 knows Unicode 14, which has neither these characters nor their names.
    "\U0001fa75": "light blue heart",
    "\U0001fa76": "grey heart",
    "\U0001fa77": "pink heart",
    "\U0001fae8": "shaking face",
    "\U0001fae9": "face with bags under eyes",
}
"""Emoji whose names in Unicode's CLDR, made for reading aloud, say better what they stand for."""

_NOT_SAID: Final = frozenset({"black", "white", "heavy", "sign"})
"""Words of Unicode's names that tell of the drawing, not of what it stands for."""


def is_symbol(character: str) -> bool:
    """Return whether a character is an emoji or another symbol that people write moods with."""
    return character in _NAMES or (ord(character) >= _FIRST_SYMBOL and unicodedata.category(character) == "So")


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
        share: Word pieces that it stands for: fewer than it has where it overlaps another.
    """

    text: int
    pieces: tuple[int, ...]
    share: float


def sentence_starts(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Return which word pieces of a text begin a sentence, ascending, without the first one.

    A sentence ends with a full stop, an exclamation or a question mark that a space follows.

    Args:
        text: What was cut into word pieces.
        offsets: Where each word piece begins and ends in it, characters.
    """
    begins = [begin for begin, _ in offsets]
    starts = {bisect_left(begins, end.end()) for end in _SENTENCE_END.finditer(text)}
    return sorted(starts - {0, len(begins)})


def windows(texts: Sequence[Sequence[int]], starts: Sequence[Sequence[int]]) -> list[Window]:
    """Cut texts into windows of nearly equal length that together hold every word piece.

    Windows hold whole sentences and do not overlap, so that a sentence counts the same wherever it stands; only a
    sentence that is longer than a window is cut, into windows that overlap.

    Args:
        texts: Word-piece ids of each text. A text without any gets one empty window.
        starts: Which word pieces of each text begin a sentence, as :func:`sentence_starts` gives them.

    Returns:
        The windows in the order of the texts, at most :data:`WINDOW_PIECES` long.
    """
    return [
        Window(index, tuple(pieces[start:end]), share)
        for index, (pieces, begins) in enumerate(zip(texts, starts, strict=True))
        for start, end, share in _spans([0, *begins, len(pieces)])
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
    """Return the mean of the windows' values for each text, weighted by the word pieces that they stand for.

    Args:
        values: A row for each window, shape (windows, ...).
        cut: The windows.
        texts: Number of texts; each has at least one window.

    Returns:
        Shape (texts, ...).
    """
    weights = np.zeros((texts, len(cut)))
    for column, window in enumerate(cut):
        weights[window.text, column] = window.share + 2
    return np.asarray((weights / weights.sum(axis=1, keepdims=True)) @ values)


def _spans(bounds: Sequence[int]) -> list[tuple[int, int, float]]:
    """Return where each window begins and ends, and what it stands for."""
    if bounds[-1] <= WINDOW_PIECES:
        return [(0, bounds[-1], bounds[-1])]
    spans: list[tuple[int, int, float]] = []
    for long, run in groupby(pairwise(bounds), lambda sentence: sentence[1] - sentence[0] > WINDOW_PIECES):
        sentences = list(run)
        spans += [part for sentence in sentences for part in _overlapping(*sentence)] if long else _packed(sentences)
    return spans


def _overlapping(begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    """Cut one long sentence."""
    count = -(-(end - begin - OVERLAP_PIECES) // (WINDOW_PIECES - OVERLAP_PIECES))
    for start in np.linspace(begin, end - WINDOW_PIECES, count).round().astype(int):
        yield int(start), int(start) + WINDOW_PIECES, (end - begin) / count


def _packed(sentences: Sequence[tuple[int, int]]) -> list[tuple[int, int, float]]:
    """Put neighbouring sentences together in the fewest windows, and among those in the most even ones."""
    fewest = len(_filled(sentences, WINDOW_PIECES))
    even = -(-(sentences[-1][1] - sentences[0][0]) // fewest)
    least = max(even, *(end - begin for begin, end in sentences))
    # Less room never takes fewer windows, so that the first room that takes no more is the smallest.
    room = bisect_left(range(WINDOW_PIECES), -fewest, lo=least, key=lambda room: -len(_filled(sentences, room)))
    return [(begin, end, end - begin) for begin, end in _filled(sentences, room)]


def _filled(sentences: Sequence[tuple[int, int]], room: int) -> list[tuple[int, int]]:
    """Fill windows of so many word pieces one after the other."""
    filled = [sentences[0]]
    for begin, end in sentences[1:]:
        if end - filled[-1][0] <= room:
            filled[-1] = (filled[-1][0], end)
        else:
            filled.append((begin, end))
    return filled
