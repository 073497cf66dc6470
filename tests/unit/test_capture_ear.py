"""The blocks of a sound card on the session's clock: without a seam, with silence for a hiccup, a gap for a loss."""

from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.capture.sources import microphone
from services.capture.sources.mailbox import Mailbox
from services.capture.sources.pcm16 import Pcm16
from services.capture.sources.port import AudioBlock

BLOCK_S = 0.05


class Clock:
    """A monotonic clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(microphone, "time", clock)
    return clock


def heard(
    clock: Clock, script: Iterator[tuple[float, bool]], rate_hz: int = 16_000, ppm: float = 0.0
) -> list[AudioBlock]:
    """Play a script of (pause before the block, whether the card says that samples were lost) and return the blocks."""
    mailbox = Mailbox()
    mailbox.started = clock.now
    ear: Any = microphone._Ear(Pcm16(rate_hz, 1), mailbox)
    count = round(rate_hz * BLOCK_S)
    loud = np.full(count, 3_000, dtype="<i2").tobytes()
    for pause_s, lost in script:
        clock.now += pause_s + BLOCK_S / (1 + ppm * 1e-6)
        ear.hear(loud, count, None, SimpleNamespace(input_overflow=lost))
    return [item for item in mailbox.items(lambda: True) if isinstance(item, AudioBlock)]


def seams(blocks: list[AudioBlock]) -> list[float]:
    """Return the lengths of the gaps; a negative one would be an overlap."""
    gaps = [round((after.start_s - before.end_s) * 16_000) / 16_000 for before, after in pairwise(blocks)]
    return [gap for gap in gaps if gap]


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_what_flows_evenly_has_no_seam(clock: Clock, rate_hz: int) -> None:
    blocks = heard(clock, iter([(0.0, False)] * 400), rate_hz)
    assert seams(blocks) == []
    assert blocks[-1].end_s == pytest.approx(20.0, abs=0.02)


def test_a_card_that_is_fast_is_pressed_onto_the_clock_without_a_seam(clock: Clock) -> None:
    blocks = heard(clock, iter([(0.0, False)] * 1_000), ppm=1_000)
    assert seams(blocks) == []
    assert blocks[-1].end_s == pytest.approx(50.0 / 1.001, abs=0.02)


def test_a_hiccup_becomes_silence_and_a_long_loss_a_gap(clock: Clock) -> None:
    script = [(0.0, False)] * 50 + [(0.2, True)] + [(0.0, False)] * 50 + [(3.0, True)] + [(0.0, False)] * 50
    blocks = heard(clock, iter(script))
    assert seams(blocks) == [pytest.approx(3.0, abs=0.01)]
    samples = np.concatenate([block.samples for block in blocks])
    assert np.count_nonzero(samples == 0) == pytest.approx(0.2 * 16_000, abs=160)
    assert blocks[-1].end_s == pytest.approx(152 * BLOCK_S + 3.2, abs=0.02)
