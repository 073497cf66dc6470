"""Speech to text on the sample that ships: a synthetic voice that says three sentences."""

import re
from pathlib import Path

import jiwer
import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray

from services.text.transcriber import Transcriber
from shared.runtime.whisper import load_whisper

SAMPLE = Path(__file__).parents[2] / "services" / "capture" / "sample" / "sample.mp4"


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(load_whisper())


@pytest.fixture(scope="module")
def speech() -> NDArray[np.float32]:
    return np.asarray(decode_audio(str(SAMPLE)), dtype=np.float32)


def _words(text: str) -> list[str]:
    return re.sub(r"[^\w\s']", "", text.lower()).split()


def test_the_short_window_hears_what_the_full_one_hears(transcriber: Transcriber, speech: NDArray[np.float32]) -> None:
    segments, _ = load_whisper().transcribe(speech, beam_size=1, temperature=0.0, without_timestamps=True)
    expected = " ".join(segment.text.strip() for segment in segments)
    (transcript,) = transcriber.transcribe([speech])
    assert len(transcript.text.split()) > 10
    assert jiwer.wer(expected.lower(), transcript.text.lower()) < 0.35
    assert transcript.language == "en"
    assert 0.4 < transcript.confidence <= 1
    assert transcript.no_speech_probability < 0.6


def test_a_batch_is_heard_like_its_members_alone_and_in_order(
    transcriber: Transcriber, speech: NDArray[np.float32]
) -> None:
    silence = np.zeros(16_000, np.float32)
    waves = [speech, silence, speech[: 16_000 * 7], silence[:0], speech[: 16_000 * 6]]
    together = transcriber.transcribe(waves)
    alone = [transcriber.transcribe([wave])[0] for wave in waves]
    for first, second in zip(together, alone, strict=True):
        # how much silence follows an utterance in a batch may move a comma
        assert _words(first.text) == _words(second.text)
    assert together[1].text == together[3].text == ""
    assert together[0].text.startswith(together[4].text[:10])


def test_more_than_a_window_is_heard_to_its_end(transcriber: Transcriber, speech: NDArray[np.float32]) -> None:
    pause = np.zeros(16_000, np.float32)
    (once,) = transcriber.transcribe([speech])
    (twice,) = transcriber.transcribe([np.concatenate([speech, pause, speech])])
    assert len(twice.text.split()) > 1.5 * len(once.text.split())
