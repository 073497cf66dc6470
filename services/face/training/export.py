"""From a trained Keras network to the LiteRT file that is served."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.optimize import minimize

from shared.emotions import EMOTIONS


@dataclass(frozen=True, slots=True)
class Calibration:
    """Vector scaling of logits (Guo et al., 2017, https://arxiv.org/abs/1706.04599) with one slope for all classes.

    Attributes:
        scale: The inverse temperature.
        bias: float32 array of shape (8,).
    """

    scale: float
    bias: NDArray[np.float32]


def calibrate(logits: NDArray[np.float32], shares: NDArray[np.float32]) -> Calibration:
    """Fit a calibration to votes that the network was not trained on.

    Args:
        logits: float32 array of shape (n, 8).
        shares: Each answer's share of the votes, float32 array of shape (n, 8).
    """

    # the penalty keeps the bias of an answer with few votes near none
    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = logits * np.exp(parameters[0]) + parameters[1:]
        log_sum = np.logaddexp.reduce(scaled, axis=1)
        return float((log_sum - (shares * scaled).sum(axis=1)).mean() + 1e-3 * (parameters[1:] ** 2).sum())

    fitted = minimize(loss, np.zeros(1 + logits.shape[1]), method="L-BFGS-B").x
    return Calibration(float(np.exp(fitted[0])), fitted[1:].astype(np.float32))


def export(network: keras.Model, calibration: Calibration, path: Path) -> None:
    """Write the LiteRT file, weights as int8 (dynamic range).

    Its signature takes ``faces``, uint8 of shape (batch, 48, 48, 1), and gives ``distribution``, float32 of shape
    (batch, 7), and ``unclear``, float32 of shape (batch,): the share of a panel that would not name any emotion.
    """
    bias = tf.constant(calibration.bias)

    def serve(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = network(tf.cast(faces, tf.float32), training=False) * calibration.scale + bias
        return {
            "distribution": tf.nn.softmax(logits[:, : len(EMOTIONS)]),
            "unclear": tf.nn.softmax(logits)[:, len(EMOTIONS)],
        }

    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", serve, [tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name="faces")])
    with TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        content = converter.convert()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
