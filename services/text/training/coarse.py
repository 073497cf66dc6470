"""Coarse steps: weights that are trained to stand on few levels, so that their file, in gzip, is little more than half.

The file's weights are int8 all the same and cost the same to compute with; few of the 255 levels are in use, and
Huffman's code spends fewer bits on each. The loss is computed from the rounded weights, the gradient passes the
rounding by as if it was not there (straight-through estimator; Bengio et al. 2013, https://arxiv.org/abs/1308.3432).
"""

from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray
from tokenizers import Tokenizer

FINE: Final = 127
"""Levels above zero that int8 has."""


@dataclass(frozen=True, slots=True)
class Levels:
    """How many levels above zero the weights stand on; as many lie below.

    Attributes:
        kernel: Of a dense layer's kernel, for each of its outputs.
        words: Of the whole table of word embeddings.
    """

    kernel: int = FINE
    words: int = FINE


def rounded(weights: keras.KerasTensor, levels: int, axis: int | None) -> keras.KerasTensor:
    """Return weights on their levels, with the gradient of the weights themselves.

    Args:
        weights: Of any shape.
        levels: Levels above zero; :data:`FINE` leaves the weights as they are, for the converter rounds to it.
        axis: Along which the levels are shared; None for one step for all.
    """
    if levels == FINE:
        return weights
    return _on(weights, step_of(weights, levels, axis))


def rounded_rows(table: keras.KerasTensor, rows: keras.KerasTensor, levels: int) -> keras.KerasTensor:
    """Return rows of a table on the levels of the whole table, with the gradient of the rows themselves."""
    taken = ops.take(table, rows, axis=0)
    if levels == FINE:
        return taken
    return _on(taken, step_of(table, levels, axis=None))


def step_of(weights: keras.KerasTensor, levels: int, axis: int | None) -> keras.KerasTensor:
    """Return the distance of two levels; the largest weight stands on the last."""
    largest = ops.max(ops.abs(weights), axis=axis, keepdims=axis is not None)
    return ops.stop_gradient(ops.maximum(largest, 1e-9)) / levels


def _on(weights: keras.KerasTensor, step: keras.KerasTensor) -> keras.KerasTensor:
    return weights + ops.stop_gradient(ops.round(weights / step) * step - weights)


class CoarseDense(layers.Dense):  # type: ignore[misc] # Keras ships no types
    """Keras's dense layer, computed with its kernel on few levels.

    Args:
        units: Outputs.
        levels: As in :class:`Levels`.
        **options: Options of the Keras layer.
    """

    def __init__(self, units: int, levels: int, **options: object) -> None:
        # the steps are finer than what bfloat16 tells apart, so that the kernel must come in float32
        super().__init__(units, autocast=False, **options)
        self._levels = levels

    def call(self, inputs: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:  # noqa: ARG002, FBT001 - as Keras calls it
        """Return float of shape (n, units) for float of shape (n, width)."""
        kernel = ops.cast(rounded(self.kernel, self._levels, axis=0), inputs.dtype)
        return ops.add(ops.matmul(inputs, kernel), ops.cast(self.bias, inputs.dtype))


def settle(model: keras.Model, levels: Levels, tokenizer: Tokenizer) -> None:
    """Put a model's weights on their levels for good, and empty the embeddings of pieces that no English text has.

    Args:
        model: What :func:`services.text.training.encoder.build_model` gave, best trained with such levels.
        levels: The levels.
        tokenizer: Tells the pieces.
    """
    for layer in model.layers:
        if isinstance(layer, CoarseDense):
            kernel, bias = layer.get_weights()
            layer.set_weights([_on_levels(kernel, levels.kernel, axis=0), bias])
    words, *places = model.get_layer("embeddings").get_weights()
    words[foreign(tokenizer)] = 0.0
    model.get_layer("embeddings").set_weights([_on_levels(words, levels.words, axis=None), *places])


def foreign(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Return the ids of pieces with a letter that is not ASCII, and of those kept for later use."""
    vocabulary = tokenizer.get_vocab()
    letters = (row for piece, row in vocabulary.items() if any(sign.isalpha() and not sign.isascii() for sign in piece))
    unused = (row for piece, row in vocabulary.items() if piece.startswith("[unused"))
    return np.array(sorted({*letters, *unused}), np.int64)


def _on_levels(weights: NDArray[np.float32], levels: int, axis: int | None) -> NDArray[np.float32]:
    return np.asarray(ops.convert_to_numpy(rounded(ops.convert_to_tensor(weights), levels, axis)))
