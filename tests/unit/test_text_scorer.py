"""What the text scorer answers, with the models that ship."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray

from services.text.model import Prediction, TextModel
from services.text.scorer import TextScorer, reason_to_abstain
from services.text.settings import TextSettings
from services.text.transcriber import Transcriber, Transcript
from services.text.worker import load_scorer
from shared.emotions import EMOTIONS, Modality
from shared.messages import Judgement, Status, TextDetails
from shared.runtime.whisper import load_whisper
from shared.scoring import Scorer, SpeechWindow

SECOND = 16_000
SAMPLE = Path(__file__).parents[2] / "services" / "capture" / "sample" / "sample.mp4"


@pytest.fixture(scope="module")
def scorer() -> TextScorer:
    return load_scorer()


def _window(samples: NDArray[np.floating]) -> SpeechWindow:
    return SpeechWindow(session_id="text-scorer-test", start_s=0.0, samples=samples.astype(np.float32))


def _details(judgement: Judgement) -> TextDetails:
    assert isinstance(judgement.details, TextDetails)
    return judgement.details


def test_it_is_a_scorer_of_speech(scorer: TextScorer) -> None:
    port: Scorer[SpeechWindow] = scorer
    assert port.modality is Modality.TEXT
    assert port.model.name
    assert port.score([]) == []
    assert scorer.score_texts([]) == []


def test_typed_text_is_scored_in_full(scorer: TextScorer) -> None:
    (judgement,) = scorer.score_texts(["This is the best day of my life, I am so happy!"])
    assert judgement.status is Status.SCORED
    assert judgement.distribution is not None
    assert set(judgement.distribution) == set(EMOTIONS)
    assert judgement.confidence == max(judgement.distribution.values())
    assert judgement.quality == 1.0
    assert _details(judgement).valence == judgement.mood
    assert _details(judgement).transcript.startswith("This is")
    assert _details(judgement).language == "en"


@pytest.mark.parametrize(
    "text", ["", "   ", "...", "?!", "\n", "。。。", "─────", "→→→", "…", "\u200b", "://", ":", "()"]
)
def test_text_without_words_abstains(scorer: TextScorer, text: str) -> None:
    (judgement,) = scorer.score_texts([text])
    assert (judgement.status, judgement.reason) == (Status.ABSTAINED, "no_words")
    assert judgement.mood is None


@pytest.mark.parametrize("text", ["😭", "❤️", "ok", "haha", "7", "gr8", "naïve café", "José and Zoë say hi"])
def test_an_emoji_or_a_short_word_is_an_answer(scorer: TextScorer, text: str) -> None:
    (judgement,) = scorer.score_texts([text])
    assert (judgement.status, _details(judgement).language) == (Status.SCORED, "en")


@pytest.mark.parametrize("text", [":(", ":)", ":'(", ":-(", ";)", "=)", ":/", ":|", ":)))", "...  :(", "🩷", "🫨"])
def test_a_lone_emoticon_or_new_emoji_is_an_answer(scorer: TextScorer, text: str) -> None:
    (judgement,) = scorer.score_texts([text])
    assert (judgement.status, _details(judgement).language) == (Status.SCORED, "en")


def test_a_sad_emoticon_is_low_and_a_glad_one_high(scorer: TextScorer) -> None:
    sad, tearful, glad = (judgement.mood or 3.0 for judgement in scorer.score_texts([":(", ":'(", ":)"]))
    assert max(sad, tearful) < 2.5
    assert glad > 3.4


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我非常难过", None),
        ("Мне очень грустно, умерла моя мама", None),
        ("今日は本当に幸せです 😊", None),
        ("أنا حزين جدا", None),
        ("Ich bin so traurig, meine Mutter ist gestorben.", "de"),
        ("Me siento muy mal, no quiero ver a nadie 😭", "es"),
    ],
)
def test_typed_text_in_another_language_abstains(scorer: TextScorer, text: str, language: str | None) -> None:
    (judgement,) = scorer.score_texts([text])
    assert (judgement.status, judgement.reason) == (Status.ABSTAINED, "unsupported_language")
    assert (_details(judgement).language, _details(judgement).transcript) == (language, text)


def test_one_abstention_does_not_shift_the_others(scorer: TextScorer) -> None:
    texts = ["I love this so much.", "", "I hate this, it is awful.", "..."]
    together = scorer.score_texts(texts)
    assert [judgement.reason for judgement in together] == [None, "no_words", None, "no_words"]
    assert (together[0].mood or 0) > 3.5
    assert (together[2].mood or 5) < 2.5


def _sounds() -> dict[str, NDArray[np.floating]]:
    rng, time = np.random.default_rng(0), np.arange(3 * SECOND) / SECOND
    return {
        "silence": np.zeros(3 * SECOND),
        "faint noise": rng.normal(0, 1e-4, 3 * SECOND),
        "noise": rng.normal(0, 0.1, 3 * SECOND),
        "hum": 0.2 * np.sum([np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 6)], axis=0),
        "tone": 0.1 * np.sin(2 * np.pi * 440 * time),
    }


def test_sounds_without_speech_do_not_become_words(scorer: TextScorer) -> None:
    judged = scorer.score([_window(sound) for sound in _sounds().values()])
    assert {name: judgement.reason for name, judgement in zip(_sounds(), judged, strict=True)} == dict.fromkeys(
        _sounds(), "not_speech"
    )
    assert all(_details(judgement).transcript == "" for judgement in judged)


def test_a_click_is_too_short(scorer: TextScorer) -> None:
    judged = scorer.score([_window(np.zeros(0)), _window(np.full(SECOND // 10, 0.3))])
    assert [judgement.reason for judgement in judged] == ["too_short", "too_short"]


def test_other_languages_and_wordless_transcripts_are_left_to_others() -> None:
    samples = np.zeros(SECOND, np.float32)
    assert reason_to_abstain(samples, Transcript("Ich bin so froh", "de", 0.9, 0.1)) == "unsupported_language"
    assert reason_to_abstain(samples, Transcript("...", "en", 0.9, 0.1)) == "no_words"
    assert reason_to_abstain(samples, Transcript("", None, 0.0, 0.9)) == "not_speech"
    assert reason_to_abstain(samples, Transcript("I am so glad", "en", 0.9, 0.1)) is None


def test_each_word_says_what_it_does_to_the_score(scorer: TextScorer) -> None:
    judged = scorer.score_texts(["I hate this terrible chair", "x " * 400])
    words = _details(judged[0]).words
    assert [word.text for word in words] == ["I", "hate", "this", "terrible", "chair"]
    effects = {word.text: word.effect or 0.0 for word in words}
    assert min(effects, key=lambda text: effects[text]) in {"hate", "terrible"}
    assert words[0].start_s is None
    assert _details(judged[1]).words == (), "long typed texts are judged without it"


class _Counted(TextModel):
    """The installed model, which counts the windows that it reads."""

    read = 0

    def predict(self, texts: Sequence[str]) -> Prediction:
        prediction = super().predict(texts)
        self.read += int(prediction.windows.sum())
        return prediction


@pytest.mark.parametrize(
    "text",
    [
        " ".join(hashlib.sha256(bytes([word])).hexdigest()[:30] for word in range(128)),
        " ".join(["😄" * 16] * 128),
        "a " + "\U0001cfbb" * 2000,
    ],
)
def test_the_cost_of_a_text_is_bounded_whatever_its_words_are(text: str) -> None:
    model = _Counted(TextSettings().weights)
    (judged,) = TextScorer(Transcriber(load_whisper()), model).score_texts([text])
    assert judged.status is Status.SCORED
    assert 0 < model.read < 100
    assert {word.effect for word in _details(judged).words} == {None}


def test_evidence_can_be_left_out() -> None:
    (judged,) = load_scorer(TextSettings(evidence=False)).score_texts(["I like it"])
    assert [word.effect for word in _details(judged).words] == [None, None, None]


def test_spoken_words_are_placed_in_the_session(scorer: TextScorer) -> None:
    speech = np.asarray(decode_audio(str(SAMPLE)), dtype=np.float32)
    judged = scorer.score([SpeechWindow(session_id="text-scorer-test", start_s=at, samples=speech) for at in (0.0, 60)])
    first, later = (_details(judgement).words for judgement in judged)
    assert len(first) > 10
    assert all(word.effect is not None for word in first)
    assert [(later.start_s or 0) - (word.start_s or 0) for word, later in zip(first, later, strict=True)] == (
        pytest.approx([60.0] * len(first), abs=0.02)
    )


class _Foreign(Transcriber):
    """Hears with the installed model, which knows English alone, and answers as a multilingual one does of German."""

    def transcribe(self, samples: Sequence[NDArray[np.float32]]) -> list[Transcript]:
        return [replace(heard, language="de") for heard in super().transcribe(samples)]


def test_another_language_abstains_and_keeps_its_transcript() -> None:
    settings = TextSettings()
    foreign = TextScorer(_Foreign(load_whisper()), TextModel(settings.weights))
    speech = np.asarray(decode_audio(str(SAMPLE)), dtype=np.float32)
    (judged,) = foreign.score([_window(speech)])
    assert (judged.status, judged.reason, judged.mood) == (Status.ABSTAINED, "unsupported_language", None)
    assert len(_details(judged).transcript.split()) > 10
    assert _details(judged).language == "de"


def test_chords_are_not_words(scorer: TextScorer) -> None:
    rng, times = np.random.default_rng(3), np.arange(SECOND // 4) / SECOND
    chords = [
        np.sum([np.sin(2 * np.pi * note * times) for note in rng.choice([131, 165, 196, 262, 330, 392], 3)], axis=0)
        for _ in range(48)
    ]
    waves = [0.1 * np.concatenate(chords[start : start + 12]) for start in range(0, 48, 12)]
    assert {judged.status for judged in scorer.score([_window(wave) for wave in waves])} == {Status.ABSTAINED}
