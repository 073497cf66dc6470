"""A BERT encoder in Keras with two heads."""

from dataclasses import dataclass, field
from typing import Final

import keras
import numpy as np
from keras import layers, ops

from services.text.training.coarse import CoarseDense, Levels, rounded_rows
from shared.emotions import EMOTIONS

VALENCE_CENTRE: Final = 3.0


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The size of a BERT encoder; the defaults are those of MiniLM-L6-H384.

    Attributes:
        vocabulary: Number of word pieces.
        positions: Longest sequence in word pieces.
        width: Width of a token's vector.
        inner: Width of the feed-forward layer.
        heads: Attention heads.
        depth: Transformer blocks.
        dropout: Share of activations dropped in training, 0..1.
        norm_epsilon: Added to the variance in a layer's normalisation.
        relative_buckets: Buckets of the distance between two tokens for which MPNet learns a bias; 0 for none.
        levels: How many levels its weights stand on.
    """

    vocabulary: int = 30_522
    positions: int = 512
    width: int = 384
    inner: int = 1536
    heads: int = 12
    depth: int = 6
    dropout: float = 0.1
    norm_epsilon: float = 1e-12
    relative_buckets: int = 0
    levels: Levels = field(default_factory=Levels)


def build_model(config: EncoderConfig) -> keras.Model:
    """Return the untrained two-headed model.

    The encoder is BERT's (Devlin et al. 2019, post-layer-norm) as MiniLM has it (Wang et al. 2020), with the tanh form
    of GELU, which trains twice as fast on a CPU. Token vectors stay flat, (batch * length, width), between attentions:
    each dense layer is then one matrix product, which LiteRT runs as one int8 ``FULLY_CONNECTED``.

    Args:
        config: The size.

    Returns:
        A model from ``{"ids", "mask"}``, int32 arrays of shape (batch, length), to ``{"logits", "valence"}`` of shapes
        (batch, 7) and (batch, 1). Logits are over :data:`shared.emotions.EMOTIONS`; valence is 1..5, not clipped.
    """
    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = keras.Input((None,), dtype="int32", name="mask")
    pooled = MeanPool(name="pooled")(encode(config, ids, mask), mask)
    pooled = layers.Dropout(config.dropout, name="pooled_dropout")(pooled)
    logits = layers.Dense(len(EMOTIONS), dtype="float32", name="logits")(pooled)
    valence = layers.Dense(1, dtype="float32", bias_initializer=keras.initializers.Constant(VALENCE_CENTRE))
    valence.name = "valence"
    return keras.Model({"ids": ids, "mask": mask}, {"logits": logits, "valence": valence(pooled)})


def encode(config: EncoderConfig, ids: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
    """Return the last hidden states as flat token vectors, float of shape (batch * length, width)."""
    embedded = Embeddings(config, name="embeddings")(ids)
    bias = ops.expand_dims((1.0 - ops.cast(mask, embedded.dtype)) * -1e4, (1, 2))
    if config.relative_buckets:
        bias = RelativeBias(config.relative_buckets, config.heads, name="relative_bias")(bias)
    hidden = ops.reshape(embedded, (-1, config.width))
    for index in range(config.depth):
        hidden = _block(config, hidden, bias, f"block{index}")
    return hidden


class Embeddings(layers.Layer):  # type: ignore[misc]
    """Sum of word and position embeddings, not yet normalised; the token type, always 0, is part of the position.

    Args:
        config: The size.
        **options: Options of a Keras layer.
    """

    def __init__(self, config: EncoderConfig, **options: object) -> None:
        super().__init__(autocast=False, **options)
        self._config = config

    def build(self, _shape: tuple[int | None, ...]) -> None:
        """Make the two tables."""
        width, spread = self._config.width, keras.initializers.RandomNormal(stddev=0.02)
        self._word = self.add_weight(shape=(self._config.vocabulary, width), initializer=spread, name="word")
        self._position = self.add_weight(shape=(self._config.positions, width), initializer=spread, name="position")

    def call(self, ids: keras.KerasTensor) -> keras.KerasTensor:
        """Return float vectors of shape (batch, length, width) for int32 ids of shape (batch, length)."""
        words = rounded_rows(self._word, ids, self._config.levels.words)
        return ops.cast(words + self._position[: ops.shape(ids)[1]], self.compute_dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Add the width to the shape of the ids."""
        return (*shape, self._config.width)


class RelativeBias(layers.Layer):  # type: ignore[misc]
    """A learnt bias by head and by the distance between two tokens (T5's, Raffel et al. 2020, as MPNet has it).

    Half of the buckets are for tokens after, half for those before; the nearest have one each, the others share them by
    the logarithm of the distance.

    Args:
        buckets: Number of buckets.
        heads: Attention heads.
        **options: Options of a Keras layer.
    """

    FARTHEST: Final = 128

    def __init__(self, buckets: int, heads: int, **options: object) -> None:
        super().__init__(**options)
        self._buckets, self._heads = buckets, heads

    def build(self, _shape: tuple[int | None, ...]) -> None:
        """Make the table."""
        self._table = self.add_weight(shape=(self._buckets, self._heads), initializer="zeros", name="table")

    def call(self, padding: keras.KerasTensor) -> keras.KerasTensor:
        """Return shape (batch, heads, length, length) for the padding's bias of shape (batch, 1, 1, length)."""
        place = ops.arange(ops.shape(padding)[-1])
        bias = ops.take(self._table, self._bucket(place[None, :] - place[:, None]), axis=0)
        return ops.cast(ops.transpose(bias, (2, 0, 1))[None], padding.dtype) + padding

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the scores."""
        return (shape[0], self._heads, shape[-1], shape[-1])

    def _bucket(self, offset: keras.KerasTensor) -> keras.KerasTensor:
        half, near = self._buckets // 2, self._buckets // 4
        distance = ops.abs(offset)
        far = ops.log(ops.maximum(ops.cast(distance, "float32"), 1.0) / near) / np.log(self.FARTHEST / near)
        shared = ops.minimum(near + ops.cast(far * (half - near), "int32"), half - 1)
        return ops.where(offset > 0, half, 0) + ops.where(distance < near, distance, shared)


class Attention(layers.Layer):  # type: ignore[misc]
    """Scaled dot-product attention of several heads over flat token vectors.

    Args:
        heads: Number of heads; they share the width equally.
        **options: Options of a Keras layer.
    """

    def __init__(self, heads: int, **options: object) -> None:
        super().__init__(**options)
        self._heads = heads

    def call(self, qkv: keras.KerasTensor, bias: keras.KerasTensor) -> keras.KerasTensor:
        """Mix the values.

        Args:
            qkv: Query, key and value side by side, shape (batch * length, 3 * width).
            bias: Added to the scores, very low for padding; shape (batch, 1, 1, length) or (batch, heads, length,
                length).

        Returns:
            Shape (batch * length, width).
        """
        width = qkv.shape[-1] // 3
        head = width // self._heads
        split = ops.reshape(qkv, (-1, ops.shape(bias)[-1], 3 * self._heads, head))
        query, key, value = ops.split(ops.transpose(split, (0, 2, 1, 3)), 3, axis=1)
        scores = ops.matmul(query * head**-0.5, ops.transpose(key, (0, 1, 3, 2))) + bias
        mixed = ops.matmul(ops.softmax(scores, axis=-1), value)
        return ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, width))

    def compute_output_shape(self, qkv_shape: tuple[int | None, ...], *_: object) -> tuple[int | None, ...]:
        """Return the shape of flat token vectors."""
        return (qkv_shape[0], (qkv_shape[1] or 0) // 3)


class MeanPool(layers.Layer):  # type: ignore[misc]
    """The mean over the tokens that are not padding, as all-MiniLM-L6-v2 pools."""

    def call(self, hidden: keras.KerasTensor, mask: keras.KerasTensor) -> keras.KerasTensor:
        """Return shape (batch, width) for flat token vectors and an int32 mask of shape (batch, length)."""
        weights = ops.expand_dims(ops.cast(mask, hidden.dtype), -1)
        states = ops.reshape(hidden, (-1, ops.shape(mask)[1], hidden.shape[-1]))
        return ops.sum(states * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)

    def compute_output_shape(self, hidden_shape: tuple[int | None, ...], *_: object) -> tuple[int | None, ...]:
        """Return the shape of one vector a text."""
        return (None, hidden_shape[1])


def _block(config: EncoderConfig, hidden: keras.KerasTensor, bias: keras.KerasTensor, name: str) -> keras.KerasTensor:
    levels = config.levels.kernel
    if name == "block0":
        hidden = layers.LayerNormalization(epsilon=config.norm_epsilon, name="embeddings_norm")(hidden)
    mixed = Attention(config.heads, name=f"{name}_attention")(
        CoarseDense(3 * config.width, levels, name=f"{name}_qkv")(hidden), bias
    )
    mixed = CoarseDense(config.width, levels, name=f"{name}_attended")(mixed)
    mixed = layers.Dropout(config.dropout)(mixed)
    hidden = layers.LayerNormalization(epsilon=config.norm_epsilon, name=f"{name}_norm1")(hidden + mixed)
    inner = CoarseDense(config.inner, levels, name=f"{name}_inner")(hidden)
    outer = CoarseDense(config.width, levels, name=f"{name}_outer")(ops.gelu(inner, approximate=True))
    outer = layers.Dropout(config.dropout)(outer)
    return layers.LayerNormalization(epsilon=config.norm_epsilon, name=f"{name}_norm2")(hidden + outer)
