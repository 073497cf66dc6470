"""The emotion model of the text service: words in, a distribution and a valence out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.text.features import Window, batch, name_symbols, pool, sentence_starts, windows
from shared.emotions import EMOTIONS
from shared.errors import WeightsError
from shared.messages.score import ModelRef
from shared.runtime.litert import LiteRtModel
from shared.weights import load_manifest

TOKENIZER_FILE: Final = "tokenizer.json"
MODEL_FILE: Final = "text.tflite.gz"
MAX_BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of n texts.

    Attributes:
        distributions: Over :data:`shared.emotions.EMOTIONS`, float64 of shape (n, 7), rows sum to one.
        valences: 1 (very negative) to 5 (very positive), float64 of shape (n,).
        windows: How many windows each was read in, which is what it cost, int64 of shape (n,).
    """

    distributions: NDArray[np.float64]
    valences: NDArray[np.float64]
    windows: NDArray[np.int64]


class TextModel:
    """A loaded model with its tokeniser.

    Args:
        folder: The weights with their manifest.
        threads: Threads that one call may use.

    Raises:
        WeightsError: If the folder is not what its manifest says, or was made for other emotions.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        manifest = load_manifest(folder)
        if manifest.labels != tuple(EMOTIONS):
            raise WeightsError(
                f"The weights in {folder} are for other emotions; train them again as the model card says."
            )
        self.ref: ModelRef = manifest.ref
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._first, self._last = self._tokenizer.encode("").ids
        self._model = LiteRtModel(folder / MODEL_FILE, threads)

    def predict(self, texts: Sequence[str]) -> Prediction:
        """Judge texts of any length: long ones are read in windows, and the windows' answers averaged by length."""
        if not texts:
            return Prediction(np.zeros((0, len(EMOTIONS))), np.zeros(0), np.zeros(0, np.int64))
        cut = self._windows([name_symbols(text) for text in texts])
        answers = np.zeros((len(cut), len(EMOTIONS) + 1))
        order = sorted(range(len(cut)), key=lambda index: len(cut[index].pieces))
        for start in range(0, len(order), MAX_BATCH):
            rows = order[start : start + MAX_BATCH]
            answers[rows] = self._answer([cut[row].pieces for row in rows])
        pooled = pool(answers, cut, len(texts))
        distributions = pooled[:, :-1] / pooled[:, :-1].sum(axis=1, keepdims=True)
        count = np.bincount([window.text for window in cut], minlength=len(texts))
        return Prediction(distributions, np.clip(pooled[:, -1], 1.0, 5.0), count)

    def _windows(self, texts: Sequence[str]) -> list[Window]:
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        starts = [sentence_starts(text, encoding.offsets) for text, encoding in zip(texts, encodings, strict=True)]
        return windows([encoding.ids for encoding in encodings], starts)

    def _answer(self, pieces: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        ids, mask = batch(pieces, self._first, self._last)
        outputs = self._model(ids=ids, mask=mask)
        return np.column_stack([outputs["distribution"], outputs["valence"]]).astype(np.float64)
