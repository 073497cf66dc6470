"""From a trained Keras network to the LiteRT file that is served."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.face.training.calibrate import Calibration
from services.face.training.network import SIZE
from shared.emotions import EMOTIONS


def logits_of(networks: Sequence[keras.Model], images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the networks' mean logits over both views, float32 array of shape (n, 8), for faces of (n, 48, 48)."""
    each = [
        network.predict(view, batch_size=256, verbose=0) for network in networks for view in _views(images[..., None])
    ]
    return np.asarray(np.mean(each, axis=0), dtype=np.float32)


def _views(faces: Any) -> tuple[Any, Any]:  # noqa: ANN401 - an array or a tensor, as it came
    """Return the faces as they are, and mirrored: a face and its mirror image look the same to a panel."""
    return faces, faces[:, :, ::-1]


def export(networks: Sequence[keras.Model], calibration: Calibration, path: Path) -> None:
    """Write the LiteRT file, weights as int8 (dynamic range): the networks' mean logits over both views, calibrated.

    Its signature takes ``faces``, uint8 of shape (batch, 48, 48, 1), and gives ``distribution``, float32 of shape
    (batch, 7), and ``unclear``, float32 of shape (batch,): the share of a panel that would not name any emotion.
    """
    bias = tf.constant(calibration.bias)

    def serve(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        views = _views(tf.cast(faces, tf.float32))
        each = [network(view, training=False) for network in networks for view in views]
        logits = tf.add_n(each) * (calibration.scale / len(each)) + bias
        return {
            "distribution": tf.nn.softmax(logits[:, : len(EMOTIONS)]),
            "unclear": tf.nn.softmax(logits)[:, len(EMOTIONS)],
        }

    archive = keras.export.ExportArchive()
    for network in networks:
        archive.track(network)
    archive.add_endpoint("serve", serve, [tf.TensorSpec((None, SIZE, SIZE, 1), tf.uint8, name="faces")])
    with TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        content = converter.convert()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
