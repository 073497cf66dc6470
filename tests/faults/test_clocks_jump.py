"""Clocks that jump by days while a session goes on; what counts as time is the clock of Redis alone."""

from pathlib import Path
from time import monotonic

import pytest

from shared.emotions import Modality
from tests.faults.session import Session
from tests.faults.system import TIMEOUT_S, System, recovered

pytestmark = pytest.mark.timeout(TIMEOUT_S)


def test_a_session_outlives_clocks_that_jump(system: System, tmp_path: Path) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("faketime is not installed")
    clock = tmp_path / "clock"
    clock.write_text("+0d\n")
    bent = {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    for name in ("fusion", "face"):
        system.stop(name)
        system.launch(name, environment=bent)
    for name in ("fusion", "face"):
        system.await_ready(name)
    session = Session(system, Modality.AUDIO, Modality.FACE)
    session.send(5)
    session.await_progress(10)
    for days in ("-3d", "+3d"):
        clock.write_text(f"{days}\n")
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
