"""Makes written sentences look spoken: what a recogniser and a speaker do to words."""

import re
from typing import Final

import numpy as np

FILLERS: Final = ("uh", "um", "well", "you know", "i mean", "like", "so", "oh")
FILLER_SHARE: Final = 0.06
REPEAT_SHARE: Final = 0.03
DROP_SHARE: Final = 0.02

_TREEBANK: Final = (
    (re.compile(r"\s+(n't|'s|'re|'ve|'ll|'d|'m)\b", re.IGNORECASE), r"\1"),
    (re.compile(r"-[lr][rcs]b-", re.IGNORECASE), " "),
    (re.compile(r"``|''"), " "),
)
_NOT_SPOKEN: Final = re.compile(r"[^\w\s']|_")


def speak(text: str, rng: np.random.Generator) -> str:
    """Return a written sentence as it might be recognised: lower case, no punctuation, fillers, repairs, lost words.

    Args:
        text: The sentence.
        rng: Source of chance.

    Returns:
        The sentence as spoken; the text itself where nothing of it can be spoken.
    """
    for pattern, replacement in _TREEBANK:
        text = pattern.sub(replacement, text)
    words = _NOT_SPOKEN.sub(" ", text.replace("\u2019", "'")).lower().split()
    spoken: list[str] = []
    for word, chance in zip(words, rng.random(len(words)), strict=True):
        if chance < FILLER_SHARE:
            spoken += [str(rng.choice(FILLERS)), word]
        elif chance < FILLER_SHARE + REPEAT_SHARE:
            spoken += [word, word]
        elif chance < FILLER_SHARE + REPEAT_SHARE + DROP_SHARE and len(word) <= 3 and word not in {"no", "not"}:
            continue
        else:
            spoken.append(word)
    return " ".join(spoken) or text
