"""Which words moved the score: every word is left out in turn, and the score without it is compared with the score.

This is occlusion (Zeiler and Fergus 2014), here over words. It needs one more reading a word, so the number is bounded:
of a long text, neighbouring words are left out together and share their effect.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_STRETCHES: Final = 32
"""Most readings that one text is given beside the whole."""

Score = Callable[[Sequence[str]], NDArray[np.float64]]


def explain(score: Score, texts: Sequence[Sequence[str]]) -> list[tuple[float, ...]]:
    """Return by how much each word raises (above 0) or lowers the score of its text; all are scored in one call.

    Args:
        score: Scores texts, giving shape (n,).
        texts: The words of each text.
    """
    cuts = [_stretches(len(words)) for words in texts]
    readings = [
        reading for words, cut in zip(texts, cuts, strict=True) for reading in (" ".join(words), *_without(words, cut))
    ]
    parts = np.split(score(readings), np.cumsum([len(cut) + 1 for cut in cuts])[:-1]) if readings else []
    return [_shared(part, cut) for part, cut in zip(parts, cuts, strict=True)]


def _stretches(count: int) -> list[range]:
    ends = np.linspace(0, count, min(count, MAX_STRETCHES) + 1).round().astype(int)
    return [range(int(start), int(end)) for start, end in pairwise(ends)]


def _without(words: Sequence[str], cut: Sequence[range]) -> list[str]:
    return [" ".join((*words[: stretch.start], *words[stretch.stop :])) for stretch in cut]


def _shared(scores: NDArray[np.float64], cut: Sequence[range]) -> tuple[float, ...]:
    whole, without = scores[0], scores[1:]
    pairs = zip(cut, without, strict=True)
    return tuple(float(whole - rest) / len(stretch) for stretch, rest in pairs for _ in stretch)
