"""Reads the corpora that the text model learns from, as texts with an emotion distribution, a valence, or both."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from shared.emotions import EMOTIONS, Emotion
from shared.errors import BadInputError

E = Emotion
EKMAN: Final[dict[str, Emotion]] = {
    **dict.fromkeys(("anger", "annoyance", "disapproval"), E.ANGER),
    "disgust": E.DISGUST,
    **dict.fromkeys(("fear", "nervousness"), E.FEAR),
    **dict.fromkeys(("joy", "amusement", "approval", "excitement", "gratitude", "love"), E.JOY),
    **dict.fromkeys(("optimism", "relief", "pride", "admiration", "desire", "caring"), E.JOY),
    **dict.fromkeys(("sadness", "disappointment", "embarrassment", "grief", "remorse"), E.SADNESS),
    **dict.fromkeys(("surprise", "realization", "confusion", "curiosity"), E.SURPRISE),
    "neutral": E.NEUTRAL,
}
"""The Ekman mapping of GoEmotions (Demszky et al. 2020, ``ekman_mapping.json`` of its authors)."""

ISEAR_EMOTIONS: Final[dict[str, Emotion]] = {
    **{emotion.value: emotion for emotion in (E.ANGER, E.DISGUST, E.FEAR, E.JOY, E.SADNESS)},
    "guilt": E.SADNESS,
    "shame": E.SADNESS,
}

WEAK_VALENCE: Final[dict[Emotion, float]] = {
    **dict.fromkeys((E.ANGER, E.DISGUST, E.FEAR, E.SADNESS), 2.0),
    **dict.fromkeys((E.NEUTRAL, E.SURPRISE), 3.0),
    E.JOY: 4.0,
}
"""A coarse valence for texts that only have emotions, used with a small weight: conversations have no other."""

EMOBANK_STRETCH: Final = 2.0
"""EmoBank's raters kept to the middle (SD 0.35): its valence is spread about 3 by this, so that its 1st and 99th
percentiles lie near the ends of the scale, where the other corpora have theirs."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what is known of it.

    Attributes:
        text: As in the corpus.
        emotions: Share of each of :data:`EMOTIONS`, summing to one, or None where unknown.
        valence: 1..5, or None where unknown.
        emotion_weight: How much the emotions count in the loss.
        valence_weight: How much the valence counts in the loss.
    """

    text: str
    emotions: tuple[float, ...] | None = None
    valence: float | None = None
    emotion_weight: float = 1.0
    valence_weight: float = 1.0


def emobank(folder: Path, split: str) -> list[Example]:
    """Return EmoBank (Buechel and Hahn 2017) with stretched valence; split is train, dev or test."""
    texts, valence = emobank_raw(folder, split)
    stretched = np.clip(3.0 + EMOBANK_STRETCH * (valence - 3.0), 1.0, 5.0)
    return [
        Example(text, valence=float(value), valence_weight=2.0) for text, value in zip(texts, stretched, strict=True)
    ]


def emobank_raw(folder: Path, split: str) -> tuple[list[str], NDArray[np.float64]]:
    """Return the texts of EmoBank and the mean valence of its raters, 1..5."""
    with _open(folder / "emobank.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split and row["text"].strip()]
    return [row["text"] for row in rows], np.array([float(row["V"]) for row in rows])


def sst5(folder: Path, split: str) -> list[Example]:
    """Return the Stanford Sentiment Treebank's sentences; split is train, dev, test or train_phrases.

    Sentences of the test split are left out of the others: two of them are also in train.
    """
    held_out = set() if split == "test" else {row[-1] for row in _rows(folder / "sst5_test.tsv", header=True)}
    rows = _rows(folder / f"sst5_{split}.tsv", header=True)
    return [Example(text, valence=float(level)) for _, level, text in rows if text not in held_out]


def sst5_phrases(folder: Path, _split: str) -> list[Example]:
    """Return the labelled phrases of the treebank's training sentences, two words or more."""
    return [example for example in sst5(folder, "train_phrases") if " " in example.text]


def posts(folder: Path, _split: str) -> list[Example]:
    """Return social-media posts (Preotiuc-Pietro et al. 2016) with the valence of two raters."""
    rows = _rows(folder / "fb_valence_1to5.tsv", header=True)
    return [Example(row[-1], valence=float(row[0])) for row in rows]


def goemotions(folder: Path, split: str) -> list[Example]:
    """Return GoEmotions (Demszky et al. 2020) mapped to the seven; several labels share the mass equally."""
    return [
        Example(text, tuple(row / row.sum()), _weak_valence(row), valence_weight=0.2)
        for text, row in zip(*goemotions_raw(folder, split), strict=True)
    ]


def goemotions_raw(folder: Path, split: str) -> tuple[list[str], NDArray[np.float64]]:
    """Return the texts of GoEmotions and, of shape (n, 7), how many of its labels fall to each of the seven."""
    names = [row[0] for row in _rows(folder / "goemotions" / "labels.txt", header=False)]
    columns = [EMOTIONS.index(EKMAN[name]) for name in names]
    rows = list(_rows(folder / "goemotions" / f"{split}.tsv", header=False))
    counts = np.zeros((len(rows), len(EMOTIONS)))
    for row, (_, labels, _) in zip(counts, rows, strict=True):
        np.add.at(row, [columns[int(label)] for label in labels.split(",")], 1.0)
    return [text for text, _, _ in rows], counts


def isear(folder: Path, _split: str) -> list[Example]:
    """Return ISEAR (Scherer and Wallbott 1994): situations in which people felt an emotion.

    Guilt and shame are counted as sadness.
    """
    return [_situation(text, ISEAR_EMOTIONS[name]) for name, text in _rows(folder / "isear.tsv", header=True)]


CORPORA: Final[dict[str, Callable[[Path, str], list[Example]]]] = {
    "emobank": emobank,
    "sst5": sst5,
    "sst5_phrases": sst5_phrases,
    "posts": posts,
    "goemotions": goemotions,
    "isear": isear,
}


def _situation(text: str, emotion: Emotion) -> Example:
    one_hot = tuple(float(other is emotion) for other in EMOTIONS)
    return Example(text, one_hot, WEAK_VALENCE[emotion], emotion_weight=0.5, valence_weight=0.1)


def _weak_valence(counts: NDArray[np.float64]) -> float:
    return float(counts @ [WEAK_VALENCE[emotion] for emotion in EMOTIONS] / counts.sum())


def _rows(path: Path, *, header: bool) -> Iterator[list[str]]:
    with _open(path) as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if header:
            next(reader)
        yield from reader


def _open(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8", newline="")
    except FileNotFoundError:
        raise BadInputError(f"There is no {path}: name the folder that holds text/ with --data.") from None
