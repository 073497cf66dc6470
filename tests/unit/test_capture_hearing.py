"""Sound that is not recorded leaves a gap: nothing is spliced, nothing is lost or said twice around it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.capture.framing import FramerConfig
from services.capture.hearing import Hearing
from services.capture.sources.port import AudioBlock
from shared.messages.speech import SAMPLE_RATE_HZ

CONFIG = FramerConfig()


def loud(window: NDArray[np.float32]) -> float:
    return float(np.abs(window).max() > 0)


def numbered(start: int, count: int) -> AudioBlock:
    """Return sound in which every sample is one more than its own number."""
    return AudioBlock(start / SAMPLE_RATE_HZ, np.arange(start + 1, start + count + 1, dtype=np.float32))


@given(st.lists(st.tuples(st.integers(1, 40_000), st.sampled_from([0, 0, 0, 1, 777, 50_000])), max_size=12))
@settings(max_examples=60)
def test_no_utterance_spans_a_gap_and_no_sample_is_lost_or_sent_twice(runs: list[tuple[int, int]]) -> None:
    hearing, utterances = Hearing(loud, CONFIG), []
    at, begun, gaps, stretches = 0, 0, [], []
    for count, gap in runs:
        utterances += hearing.hear(numbered(at, count))
        at += count
        if gap:
            gaps.append(at)
            stretches.append((begun, at))
            at = begun = at + gap
    utterances += hearing.close()
    sent = np.zeros(at + 1, dtype=int)
    for utterance in utterances:
        start, end = utterance.start_sample, utterance.start_sample + len(utterance.samples)
        assert np.array_equal(utterance.samples, np.arange(start + 1, end + 1))
        assert not any(start < gap < end for gap in gaps)
        sent[start:end] += 1
    assert sent.max() <= 1
    least = (CONFIG.min_speech_s + 0.032) * SAMPLE_RATE_HZ
    assert all(sent[first:last].all() for first, last in [*stretches, (begun, at)] if last - first > least)


def test_the_level_is_told_while_something_is_heard() -> None:
    hearing = Hearing(loud, CONFIG)
    told = [(hearing.level_dbfs, hearing.speaking)]
    for number, amplitude in enumerate((0.1, 0.0)):
        hearing.hear(AudioBlock(number / 10, np.full(1_600, amplitude, dtype=np.float32)))
        told.append((hearing.level_dbfs, hearing.speaking))
    hearing.close()
    told.append((hearing.level_dbfs, hearing.speaking))
    assert told == [(None, False), (pytest.approx(-20, abs=1e-3), True), (-100.0, False), (None, False)]
