"""Judges the mood in words, spoken or typed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.text.explain import explain
from services.text.features import is_symbol
from services.text.language import ENGLISH, language_of
from services.text.model import TextModel
from services.text.transcriber import Transcriber, Transcript
from shared.emotions import Modality, as_mapping
from shared.messages.details import TextDetails, Word
from shared.messages.score import Judgement, ModelRef, Status
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.scoring import SpeechWindow, TypedWindow

MAX_EXPLAINED_WORDS: Final = 128
"""Words in 30 s of fast speech; a longer typed text is judged without saying which words did it."""

MAX_EXPLAINED_WINDOWS: Final = 8
"""The same in what it costs: a text that takes more, of whatever it is made, is not read again for each word."""

MIN_SPEECH_S: Final = 0.2
"""No word is shorter."""

_EMOTICON: Final = re.compile(r"(?<!\S)[:;=]'?-?(?:[()]+|[/|])(?!\S)")
"""Faces of marks alone, such as ``:(``; those with a letter in them are words already."""


class TextScorer:
    """Recognises speech and judges its words; the mood is the valence head's answer.

    Args:
        transcriber: Speech to text.
        model: The emotion model, for English.
        evidence: Whether to say of each word what it does to the score, which takes a reading more for each word.
    """

    modality: Final = Modality.TEXT

    def __init__(self, transcriber: Transcriber, model: TextModel, *, evidence: bool = True) -> None:
        self._transcriber = transcriber
        self._model = model
        self._evidence = evidence

    @property
    def model(self) -> ModelRef:
        """Which emotion model it uses."""
        return self._model.ref

    def warm_up(self) -> None:
        """Run the recogniser and the model once."""
        hum = np.sin(np.arange(SAMPLE_RATE_HZ) * 0.1).astype(np.float32)
        self._transcriber.transcribe([hum])
        # The detector of languages is 60 MB that only typed text needs: it is loaded by the first one.
        self._judge([_typed("a warm-up", ENGLISH)], [None])

    def score(self, windows: Sequence[SpeechWindow | TypedWindow]) -> list[Judgement]:
        """Return one judgement a window, in the same order.

        It abstains with ``too_short``, ``not_speech`` (nobody speaks, or nothing was recognised), ``no_words``
        (recognised or typed, but neither word, emoji nor emoticon in it) or ``unsupported_language``, which keeps the
        transcript.
        """
        heard = iter(self._transcriber.transcribe([w.samples for w in windows if isinstance(w, SpeechWindow)]))
        transcripts = [
            _typed(w.text, language_of(w.text)) if isinstance(w, TypedWindow) else _placed(next(heard), w.start_s)
            for w in windows
        ]
        return self._judge(transcripts, [_reason(*pair) for pair in zip(windows, transcripts, strict=True)])

    def score_texts(self, texts: Sequence[str]) -> list[Judgement]:
        """Judge typed texts of any length; it abstains as of what was heard."""
        return self.score([TypedWindow(session_id="", text=text) for text in texts])

    def _judge(self, transcripts: Sequence[Transcript], reasons: Sequence[str | None]) -> list[Judgement]:
        judged = [index for index, reason in enumerate(reasons) if reason is None]
        prediction = self._model.predict([transcripts[index].text for index in judged])
        judgements = [_abstained(*pair) for pair in zip(transcripts, reasons, strict=True)]
        words = self._explained([transcripts[index].words for index in judged], prediction.windows)
        for row, index in enumerate(judged):
            distribution, valence = prediction.distributions[row], float(prediction.valences[row])
            judgements[index] = Judgement(
                status=Status.SCORED,
                mood=valence,
                distribution=as_mapping(distribution),
                confidence=float(distribution.max()),
                quality=transcripts[index].confidence,
                details=_details(transcripts[index]).model_copy(update={"valence": valence, "words": words[row]}),
            )
        return judgements

    def _explained(self, texts: Sequence[tuple[Word, ...]], windows: NDArray[np.int64]) -> list[tuple[Word, ...]]:
        if not self._evidence:
            return list(texts)
        short = [words if count <= MAX_EXPLAINED_WINDOWS else () for words, count in zip(texts, windows, strict=True)]
        effects = explain(
            lambda readings: self._model.predict(readings).valences, [[word.text for word in words] for words in short]
        )
        return [
            tuple(_with_effect(*pair) for pair in zip(words, moved, strict=True)) if moved else words
            for words, moved in zip(texts, effects, strict=True)
        ]


def _with_effect(word: Word, effect: float) -> Word:
    return word.model_copy(update={"effect": round(effect, 3)})


def _typed(text: str, language: str | None) -> Transcript:
    words = text.split()
    kept = words if len(words) <= MAX_EXPLAINED_WORDS else []
    return Transcript(text, language, 1.0, 0.0, tuple(Word(text=word, probability=1.0) for word in kept))


def _placed(transcript: Transcript, start_s: float) -> Transcript:
    """Return a transcript whose words have their spans from the start of the session."""
    return replace(transcript, words=tuple(_shifted(word, start_s) for word in transcript.words))


def _shifted(word: Word, start_s: float) -> Word:
    span = {"start_s": word.start_s, "end_s": word.end_s}
    return word.model_copy(
        update={side: None if value is None else round(start_s + value, 2) for side, value in span.items()}
    )


def _reason(window: SpeechWindow | TypedWindow, transcript: Transcript) -> str | None:
    if isinstance(window, TypedWindow):
        return _reason_in_words(transcript)
    return reason_to_abstain(window.samples, transcript)


def reason_to_abstain(samples: NDArray[np.float32], transcript: Transcript) -> str | None:
    """Return why an utterance carries no mood in words, or None where it does.

    Args:
        samples: What was heard, float32 of shape (n,), 16 kHz.
        transcript: What was recognised in it.
    """
    if len(samples) < MIN_SPEECH_S * SAMPLE_RATE_HZ:
        return "too_short"
    if not transcript.text:
        return "not_speech"
    return _reason_in_words(transcript)


def _reason_in_words(transcript: Transcript) -> str | None:
    if not _says_something(transcript.text):
        return "no_words"
    return None if transcript.language == ENGLISH else "unsupported_language"


def _says_something(text: str) -> bool:
    return any(character.isalnum() or is_symbol(character) for character in text) or bool(_EMOTICON.search(text))


def _abstained(transcript: Transcript, reason: str | None) -> Judgement:
    return Judgement(status=Status.ABSTAINED, reason=reason or "not_judged", details=_details(transcript))


def _details(transcript: Transcript) -> TextDetails:
    return TextDetails(
        transcript=transcript.text,
        language=transcript.language,
        asr_confidence=transcript.confidence,
        words=transcript.words,
    )
