"""Properties of cutting speech: nothing lost, nothing twice, the same for every split into blocks."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.capture.framing import WINDOW_SAMPLES, Framer, FramerConfig, Utterance
from shared.messages.speech import SAMPLE_RATE_HZ

CONFIG = FramerConfig()
WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ


def scripted(probabilities: list[float]) -> Callable[[NDArray[np.float32]], float]:
    """Return a judge that gives one probability after the other."""
    script = iter(probabilities)
    return lambda _: next(script)


def numbered(count: int) -> NDArray[np.float32]:
    """Return sound in which every sample is its own number: float32 holds whole numbers exactly up to 2**24."""
    return np.arange(count, dtype=np.float32)


def cut(probabilities: list[float], samples: NDArray[np.float32], sizes: list[int] | None = None) -> list[Utterance]:
    framer = Framer(scripted(probabilities))
    found: list[Utterance] = []
    start = 0
    for size in itertools.cycle(sizes or [len(samples) or 1]):
        if start >= len(samples):
            break
        found += framer.push(samples[start : start + size])
        start += size
    return found + framer.flush()


def stretches(spans: list[tuple[float, float]]) -> list[float]:
    """Return probabilities for stretches of (seconds, probability)."""
    return [probability for seconds, probability in spans for _ in range(round(seconds / WINDOW_S))]


def windows_of(probabilities: list[float]) -> NDArray[np.float32]:
    return numbered(len(probabilities) * WINDOW_SAMPLES)


def speech_windows(probabilities: list[float]) -> list[bool]:
    """Judge again with hysteresis, written apart from the framer."""
    talking, result = False, []
    for probability in probabilities:
        if probability >= CONFIG.enter:
            talking = True
        elif probability < CONFIG.leave:
            talking = False
        result.append(talking)
    return result


def must_be_sent(speech: list[bool]) -> set[int]:
    """Return the windows of speech that lie in a long enough run, no pause inside it; short runs may be dropped."""
    pause = -(-round(CONFIG.pause_s * SAMPLE_RATE_HZ) // WINDOW_SAMPLES)
    least = -(-round(CONFIG.min_speech_s * SAMPLE_RATE_HZ) // WINDOW_SAMPLES)
    runs: list[list[int]] = []
    for number in (number for number, is_speech in enumerate(speech) if is_speech):
        if runs and number - runs[-1][-1] <= pause:
            runs[-1].append(number)
        else:
            runs.append([number])
    return {number for run in runs if len(run) >= least for number in run}


talk = st.lists(
    st.tuples(st.integers(1, 120), st.sampled_from([0.0, 0.2, 0.4, 0.45, 0.6, 0.99])), min_size=0, max_size=25
).map(lambda runs: [probability for count, probability in runs for _ in range(count)])
block_sizes = st.lists(st.integers(1, 3 * SAMPLE_RATE_HZ), min_size=1, max_size=8).map(lambda sizes: [*sizes, 20_000])


@given(talk, block_sizes, st.integers(0, WINDOW_SAMPLES - 1))
@settings(max_examples=60, deadline=None)
def test_the_result_is_the_same_for_every_split_into_blocks(
    probabilities: list[float], sizes: list[int], short: int
) -> None:
    samples = windows_of(probabilities)
    samples = samples[: max(0, len(samples) - short)]
    whole = cut(probabilities, samples)
    split = cut(probabilities, samples, sizes)
    assert [(u.start_sample, len(u.samples)) for u in split] == [(u.start_sample, len(u.samples)) for u in whole]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(split, whole, strict=True))


@given(talk, st.integers(0, WINDOW_SAMPLES - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=120, deadline=None)
def test_no_speech_sample_is_lost_or_sent_twice(probabilities: list[float], short: int, seed: int) -> None:
    samples = windows_of(probabilities)
    samples = samples[: max(0, len(samples) - short)]
    loudness = np.random.default_rng(seed).random(len(samples), dtype=np.float32)
    utterances = cut(probabilities, loudness)
    sent = np.zeros(len(samples), dtype=int)
    for utterance in utterances:
        sent[utterance.start_sample : utterance.start_sample + len(utterance.samples)] += 1
        expected = loudness[utterance.start_sample : utterance.start_sample + len(utterance.samples)]
        assert np.array_equal(utterance.samples, expected)
    assert sent.max(initial=0) <= 1
    for window in must_be_sent(speech_windows(probabilities)):
        assert sent[window * WINDOW_SAMPLES : (window + 1) * WINDOW_SAMPLES].all()


@given(talk)
@settings(max_examples=60, deadline=None)
def test_utterances_come_in_order_are_short_enough_and_hold_speech(probabilities: list[float]) -> None:
    utterances = cut(probabilities, windows_of(probabilities))
    speech = speech_windows(probabilities)
    ends = [u.start_sample + len(u.samples) for u in utterances]
    assert all(end <= after.start_sample for end, after in zip(ends, utterances[1:], strict=False))
    for utterance, end in zip(utterances, ends, strict=True):
        assert 0 < len(utterance.samples) <= CONFIG.max_s * SAMPLE_RATE_HZ
        assert any(speech[utterance.start_sample // WINDOW_SAMPLES : end // WINDOW_SAMPLES])
        assert utterance.start_s == utterance.start_sample / SAMPLE_RATE_HZ
        assert utterance.end_s == end / SAMPLE_RATE_HZ
        assert np.array_equal(utterance.samples, np.arange(utterance.start_sample, end))


def test_a_pause_ends_an_utterance_and_a_margin_is_kept_on_both_sides() -> None:
    probabilities = stretches([(1.024, 0), (2.048, 0.9), (0.64, 0), (1.024, 0.9), (2.048, 0)])
    first, second = cut(probabilities, windows_of(probabilities))
    assert first.start_s == pytest.approx(1.024 - 0.192)
    assert first.end_s == pytest.approx(1.024 + 2.048 + 0.192)
    assert second.start_s == pytest.approx(1.024 + 2.048 + 0.64 - 0.192)
    assert second.end_s == pytest.approx(1.024 + 2.048 + 0.64 + 1.024 + 0.192)


def test_an_utterance_is_given_as_soon_as_the_pause_is_long_enough() -> None:
    probabilities = stretches([(1.024, 0.9), (0.512, 0)])
    framer = Framer(scripted(probabilities))
    samples = windows_of(probabilities)
    assert framer.push(samples[:-1]) == []
    assert len(framer.push(samples[-1:])) == 1


def test_a_short_silence_does_not_end_an_utterance() -> None:
    probabilities = stretches([(1.024, 0.9), (0.48, 0), (1.024, 0.9)])
    assert len(cut(probabilities, windows_of(probabilities))) == 1


def test_hysteresis_keeps_uncertain_windows_once_speech_has_begun_and_not_before() -> None:
    before = stretches([(2.048, 0.4)])
    assert cut(before, windows_of(before)) == []
    after = stretches([(0.512, 0.9), (1.024, 0.4), (2.048, 0)])
    (utterance,) = cut(after, windows_of(after))
    assert utterance.end_s == pytest.approx(0.512 + 1.024 + 0.192)


def test_a_short_sound_alone_is_dropped() -> None:
    probabilities = stretches([(1.024, 0), (0.224, 0.9), (2.048, 0)])
    assert cut(probabilities, windows_of(probabilities)) == []


def test_a_short_sound_is_joined_to_speech_that_follows_within_a_second() -> None:
    probabilities = stretches([(0.128, 0.9), (0.8, 0), (1.024, 0.9), (1.024, 0)])
    (utterance,) = cut(probabilities, windows_of(probabilities))
    assert utterance.start_sample == 0
    assert utterance.end_s == pytest.approx(0.128 + 0.8 + 1.024 + 0.192)


def test_long_speech_is_cut_at_its_quietest_point_before_ten_seconds() -> None:
    probabilities = stretches([(14.08, 0.9)])
    samples = np.full(len(probabilities) * WINDOW_SAMPLES, 0.5, dtype=np.float32)
    quiet = 7 * SAMPLE_RATE_HZ // WINDOW_SAMPLES
    samples[(quiet - 1) * WINDOW_SAMPLES : (quiet + 1) * WINDOW_SAMPLES] = 0.01
    first, second = cut(probabilities, samples)
    assert len(first.samples) == second.start_sample == quiet * WINDOW_SAMPLES
    assert second.start_sample + len(second.samples) == len(samples)


def test_the_short_rest_after_a_cut_is_still_sent() -> None:
    probabilities = stretches([(10.016, 0.9), (2.048, 0)])
    samples = np.random.default_rng(0).normal(size=len(probabilities) * WINDOW_SAMPLES).astype(np.float32)
    utterances = cut(probabilities, samples)
    assert len(utterances) == 2
    assert utterances[1].start_sample == len(utterances[0].samples)
    assert utterances[1].end_s == pytest.approx(10.016 + 0.192)


def test_the_end_of_the_stream_ends_what_is_under_way_at_its_last_sample() -> None:
    probabilities = stretches([(0.992, 0.9)])
    samples = windows_of(probabilities)[:-100]
    (utterance,) = cut(probabilities, samples)
    assert len(utterance.samples) == len(samples)


def test_nothing_gives_nothing() -> None:
    assert cut([], numbered(0)) == []


@pytest.mark.parametrize(
    "fields", [{"enter": 0.3, "leave": 0.4}, {"margin_s": 0.6}, {"max_s": 1.5}, {"min_speech_s": 3.0}]
)
def test_settings_that_contradict_each_other_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"keep|quarter"):
        FramerConfig(**fields)
