"""Silero VAD and the framer together, on the sample: three sentences with pauses between them."""

from pathlib import Path

import numpy as np
import pytest

import services.capture.sample
from services.capture.framing import WINDOW_SAMPLES, Framer
from services.capture.sample.make_sample import LINES
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from services.capture.vad import SileroVad

SAMPLE = Path(services.capture.sample.__file__).with_name("sample.mp4")


def test_each_sentence_of_the_sample_is_one_utterance() -> None:
    framer = Framer(SileroVad())
    blocks = [item for item in FileSource(SAMPLE, video=False) if isinstance(item, AudioBlock)]
    utterances = [utterance for block in blocks for utterance in framer.push(block.samples)] + framer.flush()
    assert [u.start_s for u in utterances] == pytest.approx([line.at_s - 0.2 for line in LINES], abs=0.15)
    sound = np.concatenate([block.samples for block in blocks])
    for utterance in utterances:
        sound[utterance.start_sample : utterance.start_sample + len(utterance.samples)] = 0
    assert np.abs(sound).max() < 0.02, "nothing that is said lies outside the utterances"


def test_noise_and_silence_are_not_speech() -> None:
    detector = SileroVad()
    noise = np.random.default_rng(0).normal(scale=0.05, size=(60, WINDOW_SAMPLES)).astype(np.float32)
    silence = np.zeros((30, WINDOW_SAMPLES), dtype=np.float32)
    assert max(detector(window) for window in (*noise, *silence)) < 0.5
