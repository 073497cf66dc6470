"""Makes written sentences look spoken: what a speaker and a recogniser do to words."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

FILLERS: Final = ("uh", "um", "well", "you know", "i mean", "like", "so", "oh")
FILLER_SHARE: Final = 0.06
REPEAT_SHARE: Final = 0.03
DROP_SHARE: Final = 0.02

_KEPT: Final = frozenset({"no", "not", "never", "nothing", "but"})
_NEVER_LOST: Final = frozenset({"no", "not"})
_TREEBANK: Final = (
    (re.compile(r"\s+(n't|'s|'re|'ve|'ll|'d|'m)\b", re.IGNORECASE), r"\1"),
    (re.compile(r"-[lr][rcs]b-", re.IGNORECASE), " "),
    (re.compile(r"``|''"), " "),
)
_NOT_SPOKEN: Final = re.compile(r"[^\w\s']|_")
_SOUNDS: Final = (
    (re.compile(r"tio|ci(?=[aeo])|sch|sh"), "x"),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"ph|v"), "f"),
    (re.compile(r"kn|gn"), "n"),
    (re.compile(r"wr"), "r"),
    (re.compile(r"ck|ch|[cq]"), "k"),
    (re.compile(r"[zd]"), lambda found: {"z": "s", "d": "t"}[found[0]]),
    (re.compile(r"b"), "p"),
    (re.compile(r"[gj]"), "k"),
    (re.compile(r"m"), "n"),
    (re.compile(r"[hwy']"), ""),
    (re.compile(r"[aeiou]+"), "a"),
    (re.compile(r"(.)\1+"), r"\1"),
)


class Mishearing:
    """Which words a recogniser may take for one another: those of the same rough sound.

    Args:
        texts: What the vocabulary is taken from.
        share: Share of the words that are misheard, where another one sounds alike, 0..1.
        least: How often a word must occur to be heard.
    """

    def __init__(self, texts: Iterable[str], share: float, least: int = 5) -> None:
        self.share = share
        counts = Counter(word for text in texts for word in _words(text) if word.isalpha() and len(word) > 2)
        alike: dict[str, list[str]] = defaultdict(list)
        for word in sorted(word for word, count in counts.items() if count >= least):
            alike[sound(word)].append(word)
        self._alike: Mapping[str, Sequence[str]] = alike

    def hear(self, word: str, rng: np.random.Generator) -> str:
        """Return the word, or now and then another one that sounds alike; negations are always heard."""
        if rng.random() >= self.share or word in _KEPT:
            return word
        others = [other for other in self._alike.get(sound(word), ()) if other != word]
        return str(rng.choice(others)) if others else word


def sound(word: str) -> str:
    """Return a rough key of how an English word sounds: its consonants by place, its vowels alike."""
    for pattern, replacement in _SOUNDS:
        word = pattern.sub(replacement, word)
    return word


def speak(text: str, rng: np.random.Generator, mishearing: Mishearing | None = None) -> str:
    """Return a written sentence as it might be recognised: lower case, no punctuation, fillers, repairs, wrong words.

    Args:
        text: The sentence.
        rng: Source of chance.
        mishearing: Which words are taken for one another; None hears every word right.

    Returns:
        The sentence as spoken; the text itself where nothing of it can be spoken.
    """
    spoken: list[str] = []
    words = _words(text)
    for word, chance in zip(words, rng.random(len(words)), strict=True):
        heard = mishearing.hear(word, rng) if mishearing else word
        if chance < FILLER_SHARE:
            spoken += [str(rng.choice(FILLERS)), heard]
        elif chance < FILLER_SHARE + REPEAT_SHARE:
            spoken += [heard, heard]
        elif chance < FILLER_SHARE + REPEAT_SHARE + DROP_SHARE and len(word) <= 3 and word not in _NEVER_LOST:
            continue
        else:
            spoken.append(heard)
    return " ".join(spoken) or text


def _words(text: str) -> list[str]:
    for pattern, replacement in _TREEBANK:
        text = pattern.sub(replacement, text)
    return _NOT_SPOKEN.sub(" ", text.replace("\u2019", "'")).lower().split()
