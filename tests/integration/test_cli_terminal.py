"""A terminal that hangs up while it shows a session: the session ends in order, and its account is closed."""

import os
import pty
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from services.capture.agent import Agent
from services.capture.sources.port import Tick
from services.cli.readout import NoReadout
from services.cli.recording import Recording
from services.cli.terminal import ending_on_signals, follow, steady_console, unless_hung_up
from shared.broker.memory import MemoryBroker
from shared.emotions import Modality
from shared.sessions import new_session

MOST_TICKS = 300


class Quiet:
    """A source in which nothing happens; after a while the person's terminal does what it is told to."""

    duration_s, has_audio, has_video, problem = None, True, True, None

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def __iter__(self) -> Iterator[Tick]:
        for number in range(MOST_TICKS):
            if number == 10:
                self._act()
            Event().wait(0.02)
            yield Tick(number / 50)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def recording_of(broker: MemoryBroker, act: Callable[[], None]) -> Recording:
    source = Quiet(act)
    agent = Agent(broker, new_session([Modality.FACE])[0], live=True)
    return Recording(agent, source, NoReadout(), live=True, remote=True)


def hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def test_a_terminal_that_hangs_up_ends_the_session_in_order_and_says_so_twice_in_vain(broker: MemoryBroker) -> None:
    recording = recording_of(broker, hang_up)
    with ending_on_signals(recording):
        recording.start()
        recording.outcome()
    hang_up()
    assert recording.stops == 1
    assert recording.outcome().ended.duration_s < MOST_TICKS / 50 - 1


def test_what_runs_under_nohup_goes_on_without_its_terminal(broker: MemoryBroker) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    recording = recording_of(broker, hang_up)
    with ending_on_signals(recording):
        hang_up()
    assert recording.stops == 0
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_dead_terminal_is_drawn_on_and_read_without_a_failure(
    broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, its = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    before = os.dup(2)
    os.dup2(its, 2)
    try:
        with os.fdopen(its) as stdin, steady_console() as console:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert console.is_terminal

            def close() -> None:
                os.close(own)
                hang_up()

            recording = recording_of(broker, close)
            recording.start()
            follow(recording, console, has_keys=True)
            console.print("The session is over.")
            print("So it is.", file=sys.stderr)  # noqa: T201
        console.file.close()
    finally:
        os.dup2(before, 2)
        os.close(before)
    assert recording.stops == 1
    assert recording.outcome().ended.duration_s < MOST_TICKS / 50 - 1


def test_what_standard_output_cannot_take_any_more_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    own, its = pty.openpty()
    os.close(own)
    before = os.dup(1)
    os.dup2(its, 1)
    with open(1, "w", closefd=False) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        try:
            with unless_hung_up():
                Console().print("token")
            print("more")  # noqa: T201
            stdout.flush()
        finally:
            os.dup2(before, 1)
            os.close(before)
            os.close(its)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_still_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = Path("/dev/full").open("w")  # noqa: SIM115  (closing it fails too)
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(OSError, match="No space"), unless_hung_up():
        print("token")  # noqa: T201
    with suppress(OSError):
        stdout.close()
