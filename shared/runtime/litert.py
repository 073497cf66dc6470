"""Run a LiteRT (TensorFlow Lite) model with NumPy arrays in and out."""

import gzip
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

PACKED: Final = ".gz"
"""Ends the name of a file in gzip: weights in int8 are a quarter smaller for it, and opened in a fifth of a second."""


class LiteRtModel:
    """A loaded model; calls from several threads take turns.

    Args:
        path: The ``.tflite`` or ``.tflite.gz`` file; its default signature names the inputs and outputs.
        threads: How many threads one call may use.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._interpreter = _opened(path, threads)
        self._runner = self._interpreter.get_signature_runner()
        self._lock = Lock()

    def __call__(self, **inputs: NDArray[np.generic]) -> dict[str, NDArray[np.float32]]:
        """Run the model; each input is named as in its signature, with the batch on its first axis."""
        with self._lock:
            outputs: dict[str, NDArray[np.float32]] = self._runner(**inputs)
        return outputs


class UnsignedLiteRtModel:
    """A loaded model whose file has no signature, as published ones often have none; calls take turns.

    Args:
        path: The ``.tflite`` or ``.tflite.gz`` file, with one input.
        threads: How many threads one call may use.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._interpreter = _opened(path, threads)
        self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._outputs: list[int] = [detail["index"] for detail in self._interpreter.get_output_details()]
        self._lock = Lock()

    def __call__(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Run the model on an array of the shape in its file; the outputs are in the order of its file."""
        with self._lock:
            self._interpreter.set_tensor(self._input, values)
            self._interpreter.invoke()
            return tuple(self._interpreter.get_tensor(index) for index in self._outputs)


def tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Return the constants of a file by name, weights of int8 as the numbers that they stand for.

    Args:
        path: The ``.tflite`` or ``.tflite.gz`` file.
    """
    interpreter = _opened(path, threads=1)
    found: dict[str, NDArray[np.generic]] = {}
    for detail in interpreter.get_tensor_details():
        try:
            values = interpreter.get_tensor(detail["index"])
        except ValueError:
            continue  # computed, not constant: there is nothing yet
        found[detail["name"]] = _unscaled(values, detail["quantization_parameters"])
    return found


def _unscaled(values: NDArray[np.generic], quantization: dict[str, Any]) -> NDArray[np.generic]:
    scales, axis = quantization["scales"], quantization["quantized_dimension"]
    if values.dtype != np.int8 or not len(scales):
        return values
    along = [len(scales) if place == axis else 1 for place in range(values.ndim)]
    return np.asarray(values.astype(np.float32) * scales.reshape(along))


def _opened(path: Path, threads: int) -> Interpreter:
    if path.suffix == PACKED:
        return Interpreter(model_content=gzip.decompress(path.read_bytes()), num_threads=threads)
    return Interpreter(model_path=str(path), num_threads=threads)
