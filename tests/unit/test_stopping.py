"""A process that is told to end does end, whatever it was doing at that moment."""

import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType
from typing import Any

import pytest

from shared.stopping import Stop, stop_on_signals

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def stop() -> Iterator[Stop]:
    numbers = (signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(number) for number in numbers]
    yield stop_on_signals()
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


def _raised_at(moment: int, work: Callable[[], object]) -> bool:
    """Work, raise SIGTERM just before one of the instructions that it takes, and return whether it took so many."""
    instructions, raised = count(), False

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal raised
        frame.f_trace_opcodes = True
        if event == "opcode" and next(instructions) == moment:
            raised = True
            signal.raise_signal(signal.SIGTERM)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return raised


@pytest.mark.usefixtures("stop")
def test_a_signal_at_any_instruction_of_the_wait_is_heard() -> None:
    for moment in count():
        stop = stop_on_signals()
        if not _raised_at(moment, lambda: stop.wait(0.001)):  # noqa: B023  (called before the next turn)
            break
        assert stop.is_set()
        assert stop.wait(30.0)
    assert moment > 10, "the wait was taken apart"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_wait_that_has_begun(stop: Stop, number: signal.Signals) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert stop.wait(30.0)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_it_stays_set(stop: Stop) -> None:
    assert not stop.wait(0.0)
    stop.set()
    stop.set()
    assert [stop.wait(0.0) for _ in range(4)] == [True] * 4
