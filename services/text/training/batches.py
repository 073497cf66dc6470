"""Turns examples into shuffled batches of like length, with a fixed number of word pieces in each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.text.features import name_symbols
from services.text.training.augment import Mishearing, speak
from services.text.training.corpora import CORPORA, Example
from services.text.training.generated import generated
from services.text.training.packaged import PACKAGED, read_packaged
from shared.emotions import EMOTIONS

SOURCES: Final = {**CORPORA, "generated": generated}

Inputs = dict[str, NDArray[np.int32]]
Targets = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one epoch is made of.

    Attributes:
        passes: How often each corpus is seen in an epoch; a fraction is a fresh sample.
        spoken_share: Share of the examples that are made to look spoken, 0..1.
        misheard_share: Share of the words in these that are taken for others that sound alike, 0..1.
        max_length: Longest sequence in word pieces; the rest of a text is cut in training.
        batch_tokens: Word pieces in a batch.
        seed: Seed of sampling, augmentation and order.
    """

    passes: Mapping[str, float]
    spoken_share: float
    misheard_share: float
    max_length: int
    batch_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of like length with their word pieces."""

    ids: list[list[int]]
    examples: list[Example]

    def arrays(self) -> tuple[Inputs, Targets, Targets]:
        """Return inputs, targets and loss weights; what is unknown of an example has weight 0."""
        n = len(self.examples)
        unknown = (1 / len(EMOTIONS),) * len(EMOTIONS)
        targets = {
            "logits": np.array([example.emotions or unknown for example in self.examples], np.float32),
            "valence": np.array([[example.valence or 3.0] for example in self.examples], np.float32),
        }
        weights = {"logits": np.zeros(n, np.float32), "valence": np.zeros(n, np.float32)}
        for row, example in enumerate(self.examples):
            weights["logits"][row] = example.emotion_weight if example.emotions is not None else 0.0
            weights["valence"][row] = example.valence_weight if example.valence is not None else 0.0
        return pad(self.ids), targets, weights


def read_corpora(folder: Path, packages: Path, recipe: Recipe) -> dict[str, list[Example]]:
    """Return the training examples of each corpus in the recipe.

    Args:
        folder: Holds the corpora.
        packages: Holds a folder for each corpus that comes in a package.
        recipe: Names the corpora.
    """
    return {
        name: read_packaged(name, packages, folder) if name in PACKAGED else SOURCES[name](folder, "train")
        for name in recipe.passes
    }


def plan_epoch(
    corpora: Mapping[str, Sequence[Example]], recipe: Recipe, tokenizer: Tokenizer, epoch: int
) -> list[Batch]:
    """Sample, augment, tokenise and batch one epoch; the same arguments give the same batches."""
    rng = np.random.default_rng((recipe.seed, epoch))
    examples = [
        corpora[name][index]
        for name, share in recipe.passes.items()
        for index in _sample(len(corpora[name]), share, rng)
    ]
    spoken = rng.random(len(examples)) < recipe.spoken_share
    mishearing = _mishearing(examples, recipe.misheard_share)
    texts = [
        speak(example.text, rng, mishearing) if flag else name_symbols(example.text)
        for example, flag in zip(examples, spoken, strict=True)
    ]
    ids = [encoding.ids[: recipe.max_length - 1] + encoding.ids[-1:] for encoding in tokenizer.encode_batch(texts)]
    lengths = np.array([min(len(row), recipe.max_length) for row in ids])
    order = np.lexsort((rng.random(len(ids)), lengths))
    groups = [
        Batch([ids[i][: recipe.max_length] for i in group], [examples[i] for i in group])
        for group in _cut(order, lengths, recipe)
    ]
    return [groups[i] for i in rng.permutation(len(groups))]


def pad(ids: Sequence[Sequence[int]]) -> Inputs:
    """Return ``ids`` and ``mask`` of shape (batch, longest), padded with 0."""
    out = np.zeros((2, len(ids), max(map(len, ids))), np.int32)
    for row, pieces in enumerate(ids):
        out[0, row, : len(pieces)] = pieces
        out[1, row, : len(pieces)] = 1
    return {"ids": out[0], "mask": out[1]}


def as_dataset(batches: Sequence[Batch]) -> tf.data.Dataset:
    """Return the batches of an epoch as a ``tf.data`` stream that knows its length."""

    def stream() -> Iterator[tuple[Inputs, Targets, Targets]]:
        for batch in batches:
            yield batch.arrays()

    tokens = tf.TensorSpec((None, None), tf.int32)
    weight = tf.TensorSpec((None,), tf.float32)
    signature = (
        {"ids": tokens, "mask": tokens},
        {"logits": tf.TensorSpec((None, len(EMOTIONS)), tf.float32), "valence": tf.TensorSpec((None, 1), tf.float32)},
        {"logits": weight, "valence": weight},
    )
    dataset = tf.data.Dataset.from_generator(stream, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(4)


def _mishearing(examples: Sequence[Example], share: float) -> Mishearing | None:
    return Mishearing((example.text for example in examples), share) if share else None


def _sample(size: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    whole, rest = divmod(share, 1.0)
    return np.concatenate([np.tile(np.arange(size), int(whole)), rng.permutation(size)[: round(rest * size)]])


def _cut(order: NDArray[np.int64], lengths: NDArray[np.int64], recipe: Recipe) -> Iterator[NDArray[np.int64]]:
    start = 0
    while start < len(order):
        size = max(1, recipe.batch_tokens // int(lengths[order[min(start + recipe.batch_tokens // 8, len(order) - 1)]]))
        yield order[start : start + size]
        start += size
