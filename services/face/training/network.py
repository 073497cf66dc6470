"""The expression network: a small residual CNN (He et al., 2016) for 48 by 48 grey faces."""

from typing import Any, Final

import keras
import tensorflow as tf
from keras import layers

from shared.emotions import EMOTIONS

SIZE: Final = 48
ANSWERS: Final = len(EMOTIONS) + 1
"""What a tagger may answer: one of the seven emotions, or that the face is unclear."""


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


def build(width: int = 32, depth: int = 1, dropout: float = 0.3) -> keras.Model:
    """Build the network; it may be trained on smaller faces than it is served with.

    Args:
        width: Channels of the first stage; the later ones have 2, 4 and 6 times as many.
        depth: Residual blocks a stage.
        dropout: Share of the pooled features that is dropped in training.

    Returns:
        A model from faces, float32 or uint8 of shape (batch, side, side, 1), 0..255, to float32 logits of shape
        (batch, 8).
    """
    faces = keras.Input((None, None, 1), name="faces")
    # each face is brought to the same brightness and contrast, so that a dim room changes little
    features = layers.Rescaling(1 / 255)(faces)
    features = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False, epsilon=1e-3)(features)
    features = _convolve(features, width, kernel=5, stride=2)
    for stage, factor in enumerate((1, 2, 4, 6)):
        for block in range(depth):
            features = _residual(features, width * factor, stride=2 if stage and not block else 1)
    pooled = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(features))
    return keras.Model(faces, layers.Dense(ANSWERS, dtype="float32", name="logits")(pooled))


def _residual(features: Any, channels: int, stride: int) -> Any:  # noqa: ANN401 - Keras has no type for its tensors
    shortcut = features
    if stride > 1:
        shortcut = layers.AveragePooling2D(stride, padding="same")(shortcut)
    if shortcut.shape[-1] != channels:
        shortcut = _convolve(shortcut, channels, kernel=1, activate=False)
    features = _convolve(features, channels, stride=stride)
    features = _convolve(features, channels, activate=False)
    return layers.ReLU()(layers.Add()([features, shortcut]))


def _convolve(features: Any, channels: int, kernel: int = 3, stride: int = 1, *, activate: bool = True) -> Any:  # noqa: ANN401
    features = layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False)(features)
    features = FusedBatchNormalization(momentum=0.95)(features)
    return layers.ReLU()(features) if activate else features
