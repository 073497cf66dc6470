"""When each recognised word was said, from the recogniser's own attention to the sound."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import merge_punctuations
from numpy.typing import NDArray

from shared.messages.details import Word
from shared.messages.speech import SAMPLE_RATE_HZ

OPENING: Final = "\"'([{-"
CLOSING: Final = "\"'.,!?:)]}"
"""Marks that belong to the word after and before them."""

UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages written without spaces, by the codes that faster-whisper's tokeniser parts at characters."""

QUIET_DB: Final = -22.0
"""What is so much below the loudest moment of a word's span is a pause at its edge and not part of the word."""

_FRAME: Final = SAMPLE_RATE_HZ // 100


def align(
    whisper: WhisperModel,
    states: ctranslate2.StorageView,
    tokenizers: Sequence[Tokenizer],
    tokens: Sequence[Sequence[int]],
    samples: Sequence[NDArray[np.float32]],
) -> list[tuple[Word, ...]]:
    """Return the words of each utterance with their spans in seconds from its beginning.

    The spans come from dynamic time warping over the cross-attention (the word timestamps of OpenAI's Whisper), which
    gives each pause half to the word before it and half to the one after: pauses are cut off again by their level.

    Args:
        whisper: The model.
        states: What it encoded, shape (batch, frames / 2, width).
        tokenizers: The tokeniser of each utterance's language, which also says where its words part: utterances of one
            language are aligned together.
        tokens: The recognised tokens of each utterance.
        samples: The utterances, float32 arrays of shape (n_i,), 16 kHz.
    """
    words: list[tuple[Word, ...]] = [()] * len(samples)
    spoken: dict[str, list[int]] = {}
    for row, tokenizer in enumerate(tokenizers):
        spoken.setdefault(tokenizer.language_code, []).append(row)
    for rows in spoken.values():
        heard = states if len(rows) == len(samples) else ctranslate2.StorageView.from_array(np.asarray(states)[rows])
        frames = [len(samples[row]) // _FRAME for row in rows]
        found = whisper.find_alignment(tokenizers[rows[0]], [list(tokens[row]) for row in rows], heard, frames)
        for row, timings in zip(rows, found, strict=True):
            merge_punctuations(timings, OPENING, CLOSING)
            words[row] = as_words(timings, tokenizers[row].language_code, samples[row])
    return words


def trim(wave: NDArray[np.float32], start_s: float, end_s: float) -> tuple[float, float]:
    """Return a span in seconds without what is quiet at its edges.

    Args:
        wave: The utterance, float32 of shape (n,), 16 kHz.
        start_s: Start of the span.
        end_s: Its end.
    """
    first = min(int(start_s * 100), len(wave) // _FRAME)
    part = wave[first * _FRAME : int(end_s * 100) * _FRAME]
    power = np.square(part[: len(part) // _FRAME * _FRAME].reshape(-1, _FRAME)).mean(axis=1)
    loud = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (QUIET_DB / 10))
    if not len(loud):
        return first / 100, max(end_s, first / 100)
    return (first + int(loud[0])) / 100, (first + int(loud[-1]) + 1) / 100


def as_words(row: Sequence[Mapping[str, Any]], language: str, wave: NDArray[np.float32]) -> tuple[Word, ...]:
    """Return the words of one utterance as its transcript has them, by its spaces.

    faster-whisper also parts words at their marks, as in " half", "-hearted,": what begins without a space goes to the
    word before it.

    Args:
        row: faster-whisper's words (``word``, ``start``, ``end``, ``probability``), their marks merged.
        language: Whisper's code of it; what is in a language without spaces stays parted.
        wave: The utterance, float32 of shape (n,), 16 kHz.
    """
    groups: list[list[Mapping[str, Any]]] = []
    for timing in row:
        if not timing["word"].strip():
            continue
        if groups and language not in UNSPACED and not timing["word"].startswith(" "):
            groups[-1].append(timing)
        else:
            groups.append([timing])
    return tuple(as_word(_joined(group), wave) for group in groups)


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "word": "".join(part["word"] for part in parts),
        "start": parts[0]["start"],
        "end": parts[-1]["end"],
        "probability": np.mean([part["probability"] for part in parts]),
    }


def as_word(timing: Mapping[str, Any], wave: NDArray[np.float32]) -> Word:
    """Return one of faster-whisper's words (``word``, ``start``, ``end``, ``probability``) as Mien's."""
    start, end = trim(wave, float(timing["start"]), float(timing["end"]))
    probability = float(np.clip(timing["probability"], 0.0, 1.0))
    return Word(text=timing["word"].strip(), start_s=start, end_s=end, probability=probability)
