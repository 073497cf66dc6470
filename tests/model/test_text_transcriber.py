"""Speech to text on the sample that ships: a synthetic voice that says three sentences."""

import io
import re
import shutil
import subprocess
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


def test_words_have_their_times(transcriber: Transcriber, speech: NDArray[np.float32]) -> None:
    (alone,) = transcriber.transcribe([speech])
    (late,) = transcriber.transcribe([np.concatenate([np.zeros(16_000, np.float32), speech])])
    assert " ".join(word.text for word in alone.words) == alone.text
    spans = [(word.start_s or 0.0, word.end_s or 0.0) for word in alone.words]
    assert all(0 <= start <= end <= len(speech) / 16_000 for start, end in spans)
    starts = [start for start, _ in spans]
    assert starts == sorted(starts)
    shifts = [
        (moved.start_s or 0.0) - (word.start_s or 0.0)
        for word, moved in zip(alone.words, late.words, strict=False)
        if word.text == moved.text
    ]
    assert len(shifts) > 10
    assert np.quantile(np.abs(np.array(shifts) - 1.0), 0.9) < 0.3


def test_known_word_times_are_found(transcriber: Transcriber) -> None:
    said = ["yellow", "houses", "stood", "beside", "the", "river", "while", "many", "children", "played", "music"]
    wave, spans = _say(said, pause_s=0.25)
    (transcript,) = transcriber.transcribe([wave])
    found = {word.text.strip(".,").lower(): word for word in transcript.words}
    errors = [
        abs((found[word].start_s or 0.0) - start) for word, (start, _) in zip(said, spans, strict=True) if word in found
    ]
    assert len(errors) >= 8
    assert np.quantile(errors, 0.9) < 0.3


def _say(words: list[str], pause_s: float) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
    """Return a synthetic voice that says the words, each span in seconds, and a pause after each."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    parts, spans, position = [], [], 0
    pause = np.zeros(int(pause_s * 16_000), np.float32)
    for word in words:
        done = subprocess.run(["espeak-ng", "-s", "150", "--stdout", word], capture_output=True, check=True)
        wave = np.asarray(decode_audio(io.BytesIO(done.stdout)), dtype=np.float32)
        loud = np.flatnonzero(np.abs(wave) > 0.01)
        parts += [wave[loud[0] : loud[-1] + 1], pause]
        spans.append((position / 16_000, (position + len(parts[-2])) / 16_000))
        position += len(parts[-2]) + len(pause)
    return np.concatenate(parts), spans


@pytest.mark.parametrize("count", [1, 10, 319, 400, 1_599])
def test_what_is_too_short_for_a_word_has_none(transcriber: Transcriber, count: int) -> None:
    click = np.full(count, 0.5, dtype=np.float32)
    (transcript,) = transcriber.transcribe([click])
    assert (transcript.text, transcript.words, transcript.no_speech_probability) == ("", (), 1.0)
