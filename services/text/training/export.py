"""Exports the trained model to int8 LiteRT."""

import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from services.text.training.calibrate import Calibration
from services.text.training.coarse import Levels
from services.text.training.encoder import VALENCE_CENTRE, EncoderConfig, build_model
from shared.runtime.litert import PACKED

_GZIP: Final = 16
"""Added to the size of the window: what zlib then writes is a gzip file."""


def write_litert(model: keras.Model, config: EncoderConfig, calibration: Calibration, path: Path) -> None:
    """Write a model as a LiteRT file with int8 weights (dynamic range) and one signature.

    The signature takes ``ids`` and ``mask``, int32 of shape (batch, length), both free, and gives ``distribution``,
    float32 of shape (batch, 7), and ``valence``, float32 of shape (batch,), 1..5, both calibrated.

    Args:
        model: The trained model, of any precision.
        config: Its size.
        calibration: What is applied to its raw outputs.
        path: The file, in gzip where its name ends in ``.gz``.
    """
    calibrated = in_float32(model, config)
    _fold(calibration, calibrated)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures={"serving_default": _frozen(calibrated)})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        content = converter.convert()
    path.write_bytes(_packed(content) if path.suffix == PACKED else content)


def _packed(content: bytes) -> bytes:
    """Return a gzip file of the content, without the time of day, so that the same weights give the same file.

    Weights repeat nothing that is worth pointing back to: with Huffman's code alone the file is a tenth smaller.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | _GZIP, strategy=zlib.Z_HUFFMAN_ONLY)
    return packer.compress(content) + packer.flush()


def in_float32(model: keras.Model, config: EncoderConfig) -> keras.Model:
    """Return a copy of a model that computes in float32 with the weights as they are, however it was trained."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        copy = build_model(replace(config, levels=Levels()))
    finally:
        keras.config.set_dtype_policy(policy)
    copy.set_weights(model.get_weights())
    return copy


def _fold(calibration: Calibration, model: keras.Model) -> None:
    """Make the calibration part of the heads, so that whoever reads the file back finds it in two layers' weights."""
    logits, valence = model.get_layer("logits"), model.get_layer("valence")
    logits.set_weights([weights / calibration.temperature for weights in logits.get_weights()])
    kernel, start = valence.get_weights()
    slope = calibration.slope
    valence.set_weights([slope * kernel, VALENCE_CENTRE + slope * (start - VALENCE_CENTRE)])


def _frozen(model: keras.Model) -> tf.types.experimental.GenericFunction:
    tokens = [tf.TensorSpec((None, None), tf.int32, name) for name in ("ids", "mask")]

    def raw(ids: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        outputs = model({"ids": ids, "mask": mask}, training=False)
        return outputs["logits"], outputs["valence"]

    # The converter leaves Keras 3's variables as resources that LiteRT never fills: they become constants first.
    constant = convert_variables_to_constants_v2(tf.function(raw, input_signature=tokens).get_concrete_function())

    def serve(ids: tf.Tensor, mask: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, valence = constant(ids, mask)
        return {"distribution": tf.nn.softmax(logits), "valence": tf.clip_by_value(valence[:, 0], 1.0, 5.0)}

    return tf.function(serve, input_signature=tokens)
