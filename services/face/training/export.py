"""From a trained Keras network to the LiteRT file that is served."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.face.training.calibrate import Calibration
from services.face.training.network import SIZE
from shared.emotions import EMOTIONS
from shared.runtime.litert import LiteRtModel

_BATCH: Final = 256
_LEAST: Final = 1e-9

_IN_FLOAT: Final = (
    *("MUL", "MEAN", "SQUARED_DIFFERENCE", "ADD", "RSQRT"),  # what brings each face to the same contrast
    *("FULLY_CONNECTED", "SOFTMAX", "STRIDED_SLICE"),
)
"""Operations that cost next to nothing, and that a step of 1/256 of their range would make coarse."""


def logits_of(network: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a network's logits, float32 array of shape (n, 8), for faces of shape (n, 48, 48)."""
    return np.asarray(network.predict(images[..., None], batch_size=_BATCH, verbose=0), dtype=np.float32)


def served_logits(path: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what a file of :func:`export` answers, as logits: float32 array of shape (n, 8), for (n, 48, 48) faces."""
    model = LiteRtModel(path)
    batches = [model(faces=images[at : at + _BATCH, ..., None]) for at in range(0, len(images), _BATCH)]
    unclear = np.concatenate([batch["unclear"] for batch in batches])[:, None]
    shares = np.concatenate([batch["distribution"] for batch in batches]) * (1 - unclear)
    return np.asarray(np.log(np.concatenate([shares, unclear], axis=1).clip(_LEAST, None)), dtype=np.float32)


def export(network: keras.Model, calibration: Calibration, examples: NDArray[np.uint8], path: Path) -> None:
    """Write the LiteRT file: the trunk computes in int8, what comes before and after it in float32.

    Its signature takes ``faces``, uint8 of shape (batch, 48, 48, 1), and gives ``distribution``, float32 of shape
    (batch, 7), and ``unclear``, float32 of shape (batch,): the share of a panel that would not name any emotion.

    Args:
        network: What :func:`~services.face.training.network.build` gave, trained.
        calibration: What its logits become.
        examples: Faces by which the ranges of the trunk's numbers are set, uint8 array of shape (n, 48, 48).
        path: Where the file goes.
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
    archive.add_endpoint("serve", serve, [tf.TensorSpec((None, SIZE, SIZE, 1), tf.uint8, name="faces")])
    with TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ({"faces": face[None, ..., None]} for face in examples)
        options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=_IN_FLOAT)
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=converter.representative_dataset, debug_options=options
        )
        content = debugger.get_nondebug_quantized_model()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
