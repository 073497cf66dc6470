"""A microphone's samples stay on the session's clock, whatever its crystal does and whatever is lost on the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.capture.sources.drift import SampleClock, fit
from shared.messages.speech import SAMPLE_RATE_HZ

BLOCK = 800
HOUR_S = 3600.0
BOUND_S = 0.050


@dataclass(frozen=True)
class Heard:
    """A block as the device gives it: when its first sample was really captured, when that seems to have been."""

    true_s: float
    seems_s: float
    lost: bool


def device(
    ppm: float, length_s: float, seed: int, *, losses: list[tuple[float, float]], told: bool = True
) -> Iterator[Heard]:
    """Give the blocks of a device whose crystal is off by so many parts in a million, and which loses stretches.

    Times seem later than they are by up to 30 ms, most often by little.
    """
    rng = np.random.default_rng(seed)
    rate = SAMPLE_RATE_HZ * (1 + ppm * 1e-6)
    delays = np.minimum(rng.exponential(0.004, round(length_s * rate / BLOCK) + 1), 0.030)
    at_s, lost, waiting = 0.1, False, sorted(losses)
    for delay in delays:
        if waiting and at_s >= waiting[0][0]:
            at_s, lost = at_s + waiting.pop(0)[1], told
        yield Heard(at_s, at_s + float(delay), lost)
        at_s, lost = at_s + BLOCK / rate, False


def errors_s(blocks: Iterator[Heard]) -> list[float]:
    """Return, for each block, by how much it is placed away from when it was really captured."""
    clock, end, errors = SampleClock(), 0, []
    for block in blocks:
        placed = clock.place(block.seems_s, BLOCK, lost=block.lost)
        assert placed.start >= end, "a block never overlaps the one before it"
        assert abs(placed.count + placed.skip - BLOCK) <= BLOCK // 800
        end = placed.start + placed.count
        if not placed.count:
            continue  # only the first quarter of a second, which the clock listens to and nobody else
        errors.append((placed.start - placed.skip) / SAMPLE_RATE_HZ - block.true_s)
    return errors


@pytest.mark.parametrize("ppm", [-100.0, 100.0])
def test_sound_stays_within_50_ms_over_an_hour_with_losses(ppm: float) -> None:
    losses = [(minute * 60.0, 0.02 * minute) for minute in range(1, 60)]
    assert max(map(abs, errors_s(device(ppm, HOUR_S, 7, losses=losses)))) < BOUND_S


def test_without_mending_the_same_hour_would_be_off_by_more() -> None:
    blocks = list(device(100.0, HOUR_S, 7, losses=[]))
    assert abs(0.1 + (len(blocks) - 1) * BLOCK / SAMPLE_RATE_HZ - blocks[-1].true_s) > 0.3


@given(
    ppm=st.floats(-100, 100),
    seed=st.integers(0, 2**32 - 1),
    losses=st.lists(st.tuples(st.floats(1, 110), st.floats(0.001, 5)), max_size=6),
)
@settings(max_examples=25)
def test_sound_stays_within_50_ms_whatever_is_lost(ppm: float, seed: int, losses: list[tuple[float, float]]) -> None:
    assert max(map(abs, errors_s(device(ppm, 120, seed, losses=losses)))) < BOUND_S


@given(seed=st.integers(0, 2**32 - 1), lost_s=st.floats(0.3, 5))
@settings(max_examples=15)
def test_a_loss_that_the_device_does_not_tell_is_found_within_three_seconds(seed: int, lost_s: float) -> None:
    blocks = list(device(50.0, 20, seed, losses=[(10.0, lost_s)], told=False))
    errors = errors_s(iter(blocks))
    given = blocks[len(blocks) - len(errors) :]
    late = [abs(error) for block, error in zip(given, errors, strict=True) if not 10 < block.true_s < 13 + lost_s]
    assert max(late) < BOUND_S


@pytest.mark.parametrize("step_s", [-0.2, -0.05, 0.05, 0.2])
def test_buffers_that_become_fuller_or_emptier_lose_nothing_and_are_followed_slowly(step_s: float) -> None:
    clock = SampleClock()
    seems = [number * 0.05 + (step_s if number >= 100 else 0) for number in range(4_000)]
    placed = [clock.place(at_s, BLOCK) for at_s in seems][5:]
    assert sum(block.skip for block in placed) == 0
    assert all(after.start == before.start + before.count for before, after in pairwise(placed))
    assert placed[-1].start / SAMPLE_RATE_HZ == pytest.approx(seems[-1], abs=0.006)


def test_sound_that_comes_twice_is_skipped() -> None:
    clock = SampleClock()
    for number in range(100):
        clock.place(number * 0.05, BLOCK)
    placed = [clock.place(5 + number * 0.05 - 0.5, BLOCK) for number in range(6_000)]
    assert sum(block.skip for block in placed) == pytest.approx(0.25 * SAMPLE_RATE_HZ, abs=0.26 * SAMPLE_RATE_HZ)
    assert placed[-1].start / SAMPLE_RATE_HZ == pytest.approx(4.5 + 5_999 * 0.05, abs=0.006)


def test_blocks_that_are_held_up_and_then_come_in_a_burst_leave_no_gap_and_lose_nothing() -> None:
    clock, held = SampleClock(), range(200, 230)
    seems = [11.5 if number in held else number * 0.05 for number in range(400)]
    placed = [clock.place(max(0.05 * number, at_s), BLOCK) for number, at_s in enumerate(seems)]
    assert sum(block.skip for block in placed) == 5 * BLOCK
    assert all(after.start == before.start + before.count for before, after in pairwise(placed[5:]))


def test_what_was_captured_before_the_session_is_not_used() -> None:
    clock = SampleClock()
    placed = [clock.place(-2 + number * 0.05, BLOCK) for number in range(60)]
    assert sum(block.count for block in placed) == pytest.approx(SAMPLE_RATE_HZ, abs=0.04 * SAMPLE_RATE_HZ)
    assert placed[-1].start / SAMPLE_RATE_HZ == pytest.approx(0.95, abs=0.04)


@given(st.integers(2, 2_000), st.integers(-4, 4))
def test_fitting_keeps_the_shape(length: int, more: int) -> None:
    wave = np.sin(np.linspace(0, 3, length)).astype(np.float32)
    fitted = fit(wave, max(2, length + more))
    assert fitted.dtype == np.float32
    assert len(fitted) == max(2, length + more)
    assert fitted[0] == wave[0]
    assert fitted[-1] == pytest.approx(wave[-1])
