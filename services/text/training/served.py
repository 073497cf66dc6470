"""Weights that are served, read back into Keras: where a later training goes on from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from services.text.training.encoder import VALENCE_CENTRE
from shared.errors import BadInputError
from shared.runtime.litert import tensors

Floats = NDArray[np.float32]

_GRAPH: Final = "functional_1_1"
"""What the converter calls the Keras model."""

_TEMPERED: Final = "truediv;truediv/y"
_SLOPE: Final = "mul/x"
"""Up to version 5 the calibration came after the heads, and the converter folded the temperature into the logits."""


def load_served(model: keras.Model, path: Path) -> None:
    """Fill a model of MiniLM's size with the weights of a file that :mod:`services.text.training.export` wrote.

    Weights of int8 become the numbers that they stand for. The calibration is part of the heads.

    Args:
        model: What :func:`services.text.training.encoder.build_model` gave, with no more positions than the file has.
        path: The ``.tflite`` or ``.tflite.gz`` file.

    Raises:
        BadInputError: If a tensor is missing: the file is of another model, or another converter wrote it.
    """
    found = {name.removeprefix(f"{_GRAPH}/"): values for name, values in tensors(path).items()}
    try:
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(_weights(found, layer))
    except KeyError as missing:
        raise BadInputError(f"There is no tensor {missing} in {path}: it is not a file of this text model.") from None


def _weights(found: Mapping[str, NDArray[np.generic]], layer: keras.Layer) -> list[Floats]:
    name = f"{layer.name}_1"
    if layer.name == "embeddings":
        positions = layer.get_weights()[1].shape[0]
        words, places = (found[f"{name}/{part}ReadVariableOp/resource"] for part in ("Shape/", ""))
        return [_floats(words), _floats(places)[:positions]]
    if layer.name == "logits" and _TEMPERED in found:
        return [_floats(found[f"{_TEMPERED}1"]).T, _floats(found[_TEMPERED])]
    if layer.name == "valence":
        slope, start = float(found.get(_SLOPE, np.float32(1))), _floats(found[f"{name}/Add"])
        return [slope * _floats(found[f"{name}/MatMul"]).T, VALENCE_CENTRE + slope * (start - VALENCE_CENTRE)]
    if "norm" in layer.name:
        return [_floats(found[f"{name}/{part}"]).ravel() for part in ("Reshape", "Reshape_1")]
    return [_floats(found[f"{name}/MatMul"]).T, _floats(found[f"{name}/BiasAdd"])]


def _floats(values: NDArray[np.generic]) -> Floats:
    return np.asarray(values, np.float32)
