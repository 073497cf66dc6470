"""Speech to text with faster-whisper's model, encoding only the utterance and a little silence instead of 30 s."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import Segment, get_compression_ratio, get_suppressed_tokens
from numpy.typing import NDArray

from services.text.alignment import align, as_words
from shared.messages.details import Word
from shared.messages.speech import MAX_SPEECH_SECONDS, SAMPLE_RATE_HZ
from shared.runtime.whisper import encode, mel_features

MAX_BATCH: Final = 8
LENGTH_RATIO: Final = 1.25
"""Utterances share a call where the longest is at most this many times the shortest (both with one second added)."""

MIN_LOG_PROBABILITY: Final = -1.0
MAX_COMPRESSION_RATIO: Final = 2.4
MAX_NO_SPEECH: Final = 0.6
"""The three thresholds are those of Whisper itself (Radford et al. 2022, section 4.5)."""

SURE_NO_SPEECH: Final = 0.8
"""Above it nobody speaks, whatever was made out: speech stays under 0.3, noise and music over 0.85."""

MAX_INITIAL_TIMESTAMP: Final = 50
"""An utterance begins within its first second (in steps of 20 ms), as in Whisper."""

MAX_UNHEARD_S: Final = 3.0
"""Most seconds after the last word; where more follow, the recogniser may have stopped too early."""

SILENCE_RMS: Final = 10 ** (-60 / 20)
"""Level below which nothing is recognised: -60 dB of full scale."""

MIN_HEARD_S: Final = 0.1
"""Length below which nothing is recognised: no word is so short, and below 25 ms Whisper finds no place for one."""

TOKENS_PER_SECOND: Final = 12
"""More than anyone says; a recogniser that goes on repeats itself."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was recognised in one utterance.

    Attributes:
        text: The words; empty where there is no speech.
        language: ISO 639-1 code; None where there is no speech.
        confidence: Geometric mean of the tokens' probabilities, 0..1.
        no_speech_probability: Whisper's probability that nobody speaks, 0..1.
        words: The words with their spans in seconds from the start of the utterance; empty for typed text.
    """

    text: str
    language: str | None
    confidence: float
    no_speech_probability: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    """A first transcript and what tells whether to trust it; ``unheard_s`` is what follows its last word."""

    text: str
    language: str
    log_probability: float
    no_speech_probability: float
    words: tuple[Word, ...] = ()
    unheard_s: float = 0.0

    @property
    def silent(self) -> bool:
        limit = MAX_NO_SPEECH if self._improbable else SURE_NO_SPEECH
        return self.no_speech_probability > limit

    @property
    def doubtful(self) -> bool:
        if self._improbable or self.unheard_s > MAX_UNHEARD_S:
            return True
        return float(get_compression_ratio(self.text)) > MAX_COMPRESSION_RATIO

    @property
    def _improbable(self) -> bool:
        return self.log_probability < MIN_LOG_PROBABILITY or not self.text

    def transcript(self) -> Transcript:
        if self.silent:
            return Transcript("", None, 0.0, self.no_speech_probability)
        confidence = float(np.exp(min(0.0, self.log_probability)))
        return Transcript(self.text, self.language, confidence, self.no_speech_probability, self.words)


class Transcriber:
    """Recognises utterances, those of like length together, greedily: one batch always gives the same words.

    In another batch an utterance may have another word: how much silence follows it there moves what the encoder hears.

    Args:
        whisper: The model, as :func:`shared.runtime.whisper.load_whisper` gives it.
    """

    def __init__(self, whisper: WhisperModel) -> None:
        self._whisper = whisper
        self._multilingual = bool(whisper.model.is_multilingual)
        tokenizer = self._tokenizer("en")
        self._end_of_text = tokenizer.eot
        self._suppressed = list(get_suppressed_tokens(tokenizer, [-1]))

    def transcribe(self, samples: Sequence[NDArray[np.float32]]) -> list[Transcript]:
        """Return a transcript for each utterance, in the same order.

        Args:
            samples: float32 arrays of shape (n_i,), -1..1, 16 kHz.
        """
        transcripts = [Transcript("", None, 0.0, 1.0)] * len(samples)
        audible = [index for index, wave in enumerate(samples) if _may_be_speech(wave)]
        for group in _alike(audible, [len(wave) for wave in samples]):
            for index, heard in zip(group, self._hear([samples[index] for index in group]), strict=True):
                transcripts[index] = heard
        return transcripts

    def _hear(self, samples: Sequence[NDArray[np.float32]]) -> list[Transcript]:
        if max(map(len, samples)) > MAX_SPEECH_SECONDS * SAMPLE_RATE_HZ:
            return [self._full_window(wave) for wave in samples]
        drafts = self._drafts(samples)
        return [
            self._full_window(wave) if draft.doubtful and not draft.silent else draft.transcript()
            for wave, draft in zip(samples, drafts, strict=True)
        ]

    def _drafts(self, samples: Sequence[NDArray[np.float32]]) -> list[_Draft]:
        longest = max(map(len, samples)) / SAMPLE_RATE_HZ
        states = encode(self._whisper, mel_features(self._whisper, samples))
        languages = self._languages(states, len(samples))
        tokenizers = [self._tokenizer(language) for language in languages]
        results = self._whisper.model.generate(
            states,
            # Whisper learnt mostly with timestamps: without them a short window costs more words.
            [tokenizer.sot_sequence for tokenizer in tokenizers],
            beam_size=1,
            max_length=min(self._whisper.max_length, 16 + int(TOKENS_PER_SECOND * longest)),
            max_initial_timestamp_index=MAX_INITIAL_TIMESTAMP,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = [[token for token in result.sequences_ids[0] if token < self._end_of_text] for result in results]
        words = align(self._whisper, states, tokenizers, tokens, samples)
        return [_draft(*heard) for heard in zip(results, tokenizers, words, samples, strict=True)]

    def _full_window(self, wave: NDArray[np.float32]) -> Transcript:
        segments, info = self._whisper.transcribe(
            wave,
            beam_size=1,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        drafts = [_segment_draft(part, info.language, wave) for part in segments]
        sure = [draft for draft in drafts if not draft.doubtful]
        if not sure:
            return Transcript("", None, 0.0, max((draft.no_speech_probability for draft in drafts), default=1.0))
        return _Draft(
            " ".join(draft.text for draft in sure),
            info.language,
            float(np.average([draft.log_probability for draft in sure], weights=[len(draft.text) for draft in sure])),
            max(draft.no_speech_probability for draft in sure),
            tuple(word for draft in sure for word in draft.words),
        ).transcript()

    def _languages(self, states: ctranslate2.StorageView, count: int) -> list[str]:
        if not self._multilingual:
            return ["en"] * count
        return [ranked[0][0].strip("<|>") for ranked in self._whisper.model.detect_language(states)]

    def _tokenizer(self, language: str) -> Tokenizer:
        return Tokenizer(self._whisper.hf_tokenizer, self._multilingual, task="transcribe", language=language)


def _draft(
    result: ctranslate2.models.WhisperGenerationResult,
    tokenizer: Tokenizer,
    words: tuple[Word, ...],
    wave: NDArray[np.float32],
) -> _Draft:
    tokens = result.sequences_ids[0]
    return _Draft(
        tokenizer.decode([token for token in tokens if token < tokenizer.eot]).strip(),
        tokenizer.language_code,
        # CTranslate2 gives the mean over the tokens; Whisper's mean also counts the one that ends the text.
        result.scores[0] * len(tokens) / (len(tokens) + 1),
        result.no_speech_prob,
        words,
        len(wave) / SAMPLE_RATE_HZ - max((word.end_s or 0.0 for word in words), default=0.0),
    )


def _segment_draft(segment: Segment, language: str, wave: NDArray[np.float32]) -> _Draft:
    words = as_words([asdict(word) for word in segment.words or ()], language, wave)
    return _Draft(segment.text.strip(), language, segment.avg_logprob, segment.no_speech_prob, words)


def _alike(indexes: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    group: list[int] = []
    for index in sorted(indexes, key=lambda index: lengths[index]):
        full = len(group) == MAX_BATCH
        if group and (full or lengths[index] + SAMPLE_RATE_HZ > LENGTH_RATIO * (lengths[group[0]] + SAMPLE_RATE_HZ)):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _may_be_speech(wave: NDArray[np.float32]) -> bool:
    return len(wave) >= MIN_HEARD_S * SAMPLE_RATE_HZ and _rms(wave) > SILENCE_RMS


def _rms(wave: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
