"""Makes examples of what the corpora lack: plain facts, negation, contrast, degree and swapped identities."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from services.text.training import lexicon, phrases
from services.text.training.corpora import Example
from services.text.training.rated import MIDDLE, first_names, rated_adjectives, rated_words, telling_words
from shared.emotions import EMOTIONS, Emotion

SEED: Final = 3
RATED: Final = 0.6
"""Share of the words that come from the lists of :mod:`services.text.training.rated`, where one fits."""

_SLOT: Final = re.compile(r"{(\w+)}")

_NEUTRAL: Final = tuple(float(emotion is Emotion.NEUTRAL) for emotion in EMOTIONS)
_NEGATIONS: Final = {
    "state": {
        "i am": "i am not", "we are": "we are not", "she is": "she is not", "he was": "he was not", "i'm": "i'm not",
        "they're": "they aren't", "she's": "she isn't", "i was": "i wasn't", "i feel": "i don't feel",
    },
    "quality": {
        "it was": "it was not", "that is": "that isn't", "the {thing} is": "the {thing} is not", "it's": "it isn't",
        "the {topic} was": "the {topic} wasn't", "i thought the {topic} was": "i didn't think the {topic} was",
        "we had a {topic} that was": "we had a {topic} that was not", "the {topic} seemed": "the {topic} didn't seem",
        "this {food} is": "this {food} isn't", "i think it's": "i don't think it's",
        "i found the {topic}": "i didn't find the {topic}", "they found it": "they didn't find it",
        "i would call the {topic}": "i would not call the {topic}", "she considers it": "she doesn't consider it",
        "what a {topic}, it was": "well, the {topic} was not",
    },
}  # fmt: skip
_WORDS: Final = {"state": lexicon.POSITIVE | lexicon.NEGATIVE, "quality": lexicon.GOOD | lexicon.BAD}
_LINKS: Final = (", but ", " but ", " but in the end ", ", but still ", ", yet ")


def generated(_folder: Path = Path(), _split: str = "train") -> list[Example]:
    """Return about 27,000 generated examples with a valence; always the same ones."""
    rng = np.random.default_rng(SEED)
    makers: Mapping[Callable[[np.random.Generator], Iterator[Example]], int] = {
        _plain: 6500,
        _stated: 4200,
        _contrast: 2400,
        _swapped: 900,
        _single: 2500,
    }
    return [example for make, count in makers.items() for _ in range(count) for example in make(rng)]


def _plain(rng: np.random.Generator) -> Iterator[Example]:
    frames = (phrases.FACTS, phrases.SMALL_TALK, phrases.TITLES)[int(rng.choice(3, p=[0.5, 0.12, 0.38]))]
    frame = _one(frames, rng)
    if rng.random() < RATED:
        frame = frame.replace("{mood_name}", _title(rng))
    yield Example(_write(frame, rng), _NEUTRAL, MIDDLE, emotion_weight=0.5)


def _title(rng: np.random.Generator) -> str:
    """Return a title or a name of rated words."""
    one, two = _one(telling_words(), rng), _one(telling_words(), rng)
    return _one((f"the {one}", f"{one} {two}", f"{one} and {two}", f"{one} {{geography}}", f"{one} street"), rng)


def _stated(rng: np.random.Generator) -> Iterator[Example]:
    """Yield a statement with a word of degree, and the same one negated."""
    kind = _one(list(_NEGATIONS), rng)
    start, negated = list(_NEGATIONS[kind].items())[int(rng.integers(len(_NEGATIONS[kind])))]
    words = rated_adjectives() if kind == "quality" and rng.random() < RATED else _WORDS[kind]
    adjective, degree = _one(list(words), rng), _one(list(lexicon.DEGREES), rng)
    valence = words[adjective]
    after = _one(("", "", " about the {thing}", " with it", " today"), rng) if kind == "state" else ""
    stretched = float(np.clip(MIDDLE + lexicon.DEGREES[degree] * (valence - MIDDLE), 1.05, 4.95))
    yield Example(_write(" ".join(filter(None, (start, degree, adjective + after))), rng), valence=stretched)
    yield Example(
        _write(f"{negated} {rng.choice(('', 'very ', 'really '))}{adjective}{after}", rng), valence=_not(valence)
    )


def _not(valence: float) -> float:
    """Return the valence of what is not so: not good is rather bad, not bad is only a little good."""
    return MIDDLE - 0.6 if valence > MIDDLE else MIDDLE + 0.35


def _contrast(rng: np.random.Generator) -> Iterator[Example]:
    sides = (phrases.GOOD_CLAUSES, phrases.BAD_CLAUSES)
    first, second = (sides[side] for side in rng.permutation(2))
    one, two = _one(list(first), rng), _one(list(second), rng)
    text = f"{one}{rng.choice(_LINKS)}{two}" if rng.random() < 0.8 else f"although {one}, {two}"
    yield Example(_write(text, rng), valence=0.1 * first[one] + 0.9 * second[two])


def _swapped(rng: np.random.Generator) -> Iterator[Example]:
    """Yield one sentence with each word of a group in turn, all of one valence."""
    group = int(rng.integers(len(phrases.GROUPS)))
    frame, valence = _one(phrases.SWAPS[group], rng), MIDDLE
    for slot, moods in _WORDS.items():
        if f"{{{slot}}}" in frame:
            mood = _one(list(moods), rng)
            frame, valence = frame.replace(f"{{{slot}}}", mood), moods[mood]
    frame = _fill(frame.replace("{0}", "|"), rng)
    emotions = _NEUTRAL if valence == MIDDLE else None
    words = first_names() if group == 0 and rng.random() < RATED else phrases.GROUPS[group]
    for word in rng.permutation(words)[:8]:
        yield Example(_write(frame.replace("|", str(word)), rng), emotions, valence, emotion_weight=0.5)


def _single(rng: np.random.Generator) -> Iterator[Example]:
    """Yield what stands alone, or a plain statement that ends with a symbol."""
    words = rated_words() if rng.random() < RATED else lexicon.SINGLES
    text = _one(list(words), rng)
    valence = words[text]
    if not text.isascii() and rng.random() < 0.5:
        text = f"{_write(_one(phrases.FACTS + phrases.SMALL_TALK, rng), rng)} {text}"
    elif text.isascii() and rng.random() < 0.5:
        text = f"{text[0].upper()}{text[1:]}{rng.choice(('!', '.'))}"
    yield Example(text, _NEUTRAL if valence == MIDDLE else None, valence, emotion_weight=0.5)


def _one(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _fill(frame: str, rng: np.random.Generator) -> str:
    while _SLOT.search(frame):
        frame = _SLOT.sub(lambda slot: _one(phrases.WORDS[slot[1]], rng), frame)
    return frame


def _write(frame: str, rng: np.random.Generator) -> str:
    """Return a frame with its slots filled, in half of the cases as it would be written."""
    text = _fill(frame, rng)
    return text if rng.random() < 0.5 else f"{text[0].upper()}{text[1:]}."
