"""Clocks that jump by days while a session goes on; what counts as time is the clock of Redis alone."""

from pathlib import Path
from time import monotonic

import pytest

from shared.emotions import Modality
from tests.faults.session import Session
from tests.faults.system import LONG, TIMEOUT_S, System, recovered

pytestmark = pytest.mark.timeout(TIMEOUT_S)


class Clock:
    """The clock of whatever is started with it; time that only runs forward (monotonic) stays as it is.

    Attributes:
        environment: What to start it with.
    """

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self.jump("+0d")
        self.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip

    def jump(self, days: str) -> None:
        """Let it be wrong by so many days, for example ``-3d``."""
        self._file.write_text(f"{days}\n")


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """A clock that a test may bend."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("faketime is not installed")
    return Clock(tmp_path / "clock", library)


def test_a_session_outlives_clocks_that_jump(system: System, clock: Clock) -> None:
    for name in ("fusion", "face"):
        system.stop(name)
        system.launch(name, environment=clock.environment)
    for name in ("fusion", "face"):
        system.await_ready(name)
    session = Session(system, Modality.AUDIO, Modality.FACE)
    session.send(5)
    session.await_progress(10)
    for days in ("-3d", "+3d"):
        clock.jump(days)
        made = system.api.post("/v1/sessions", json={"consent": True, "purpose": "personal"}).json()
        opened = {"Authorization": f"Bearer {made['token']}"}
        assert system.api.get(f"/v1/sessions/{made['session_id']}", headers=opened).status_code == 200
        session.send(5)
    since = monotonic()
    session.end()
    session.check()
    recovered("clocks of fusion, API and a worker jumped back and forth by three days", since)
    for name in ("fusion", "face"):
        system.kill(name)


@pytest.mark.skipif(not LONG, reason="part of the long form: RabbitMQ is started twice for it")
def test_a_session_outlives_a_clock_of_rabbitmq_that_jumps(system: System, clock: Clock) -> None:
    system.rabbitmq.stop()
    system.rabbitmq.start(environment=clock.environment)
    try:
        session = Session(system, Modality.AUDIO, Modality.FACE)
        session.send(5)
        session.await_progress(10)
        for days in ("-3d", "+3d"):
            clock.jump(days)
            session.send(5)
            session.confirm()
        since = monotonic()
        session.end()
        session.check()
        recovered("clock of RabbitMQ jumped back and forth by three days", since)
    finally:
        system.rabbitmq.stop()
        system.rabbitmq.start()
