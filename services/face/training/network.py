"""The expression network: MobileNet (Howard et al., 2017, https://arxiv.org/abs/1704.04861) without its last block."""

from typing import Any, Final

import keras
import tensorflow as tf
from keras import layers

from shared.emotions import EMOTIONS

SIZE: Final = 48
ANSWERS: Final = len(EMOTIONS) + 1
"""What a tagger may answer: one of the seven emotions, or that the face is unclear."""

TRUNK: Final = "trunk"
_TRUNK_ENDS_AT: Final = "conv_pw_12_relu"
_SEEN_SIZE: Final = 120
"""Faces are enlarged, so that they are nearer to the size at which the trunk has learnt to tell people apart."""


class FusedBatchNormalization(layers.BatchNormalization):  # type: ignore[misc] # Keras ships no types
    """Keras's batch normalisation, whose training step is one operation: a fifth less time for the whole network."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(autocast=False, **options)

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: None = None) -> tf.Tensor:  # noqa: FBT001 - as Keras calls it
        """Normalise by the batch in training, by the running statistics otherwise; (batch, height, width, channels)."""
        if not training:
            return super().call(inputs, training=False, mask=mask)
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=self.moving_mean,
            variance=self.moving_variance,
            epsilon=self.epsilon,
            exponential_avg_factor=1 - self.momentum,
        )
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return normalised


def build(dropout: float = 0.3, channels: float = 1.0) -> keras.Model:
    """Build the network.

    Args:
        dropout: Share of the pooled features that is dropped in training.
        channels: Channels of each layer, over those of the MobileNet that it is filled from; less is for tests.

    Returns:
        A model from faces, float32 or uint8 of shape (batch, 48, 48, 1), 0..255, to float32 logits of shape (batch, 8).
    """
    faces = keras.Input((SIZE, SIZE, 1), name="faces")
    # each face is brought to the same brightness and contrast, so that a dim room changes little
    features = layers.Rescaling(1 / 255)(faces)
    features = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False, epsilon=1e-3)(features)
    features = layers.Resizing(_SEEN_SIZE, _SEEN_SIZE)(features)
    features = _trunk(channels)(features)
    pooled = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(features))
    return keras.Model(faces, layers.Dense(ANSWERS, name="logits")(pooled))


def _trunk(channels: float) -> keras.Model:
    shape = (_SEEN_SIZE, _SEEN_SIZE, 1)
    whole = keras.applications.MobileNet(input_shape=shape, alpha=channels, include_top=False, weights=None)
    trunk = keras.Model(whole.input, whole.get_layer(_TRUNK_ENDS_AT).output, name=TRUNK)
    return keras.models.clone_model(trunk, clone_function=_with_fused_normalization)


def _with_fused_normalization(layer: layers.Layer) -> layers.Layer:
    if isinstance(layer, layers.BatchNormalization):
        return FusedBatchNormalization(momentum=0.95, name=layer.name)
    return layer.__class__.from_config(layer.get_config())
