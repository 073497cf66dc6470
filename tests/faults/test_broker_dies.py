"""RabbitMQ stopped, killed, short of memory and of disk; the agent cut off from it, or gone for good."""

import shutil
import subprocess
from concurrent.futures import wait
from time import monotonic

import pytest

from shared.emotions import Modality
from tests.faults.session import Session
from tests.faults.system import LONG, TIMEOUT_S, System, recovered
from tests.wire import Wire

pytestmark = pytest.mark.timeout(TIMEOUT_S)

BOTH = (Modality.AUDIO, Modality.FACE)

HELD_S = 90 if LONG else 1
"""Seconds that an alarm lasts; the long form outlasts two heartbeats."""

ALARMS = {
    "memory": (("set_vm_memory_high_watermark", "0.000001"), ("set_vm_memory_high_watermark", "0.4")),
    "disk": (("set_disk_free_limit", "900000GB"), ("set_disk_free_limit", "50MB")),
}


@pytest.mark.parametrize("how", ["killed (-9)", "stopped"])
@pytest.mark.parametrize("attempt", range(3 if LONG else 1))
def test_rabbitmq_goes_and_comes_back(system: System, how: str, attempt: int) -> None:
    session = Session(system, *BOTH)
    session.send(20)
    session.confirm()
    session.await_progress(1)
    if how == "stopped":
        system.rabbitmq.stop()
    else:
        system.rabbitmq.kill()
    session.send(5)
    system.wait_until(lambda: not system.answers("face", "/readyz"), lambda: "the worker says that it takes work")
    assert system.answers("face", "/healthz")
    system.rabbitmq.start()
    since = monotonic()
    session.end()
    session.check()
    recovered(f"RabbitMQ {how} and started again (round {attempt + 1})", since)


@pytest.mark.parametrize("short_of", ALARMS)
def test_rabbitmq_raises_an_alarm(system: System, short_of: str) -> None:
    raised, mended = ALARMS[short_of]
    session = Session(system, *BOTH)
    session.send(5)
    session.confirm()
    system.ctl(*raised)
    try:
        _publish_until_told_to_wait(system, session)
        session.send(10)
        assert wait(session.confirms[-5:], HELD_S).not_done == set(session.confirms[-5:])
    finally:
        system.ctl(*mended)
    since = monotonic()
    session.end()
    session.check()
    recovered(f"RabbitMQ short of {short_of}, and over it", since)


@pytest.mark.skipif(not LONG, reason="part of the long form: RabbitMQ is started twice for it")
def test_the_disk_under_rabbitmq_is_full(system: System) -> None:
    data = system.rabbitmq.folder / "data"
    system.rabbitmq.stop()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=250m", "tmpfs", data], check=False).returncode:
        pytest.skip("no small disk may be mounted here")
    try:
        system.rabbitmq.start()
        session = Session(system, *BOTH)
        session.send(5)
        session.confirm()
        ballast = data / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(data).free - 20 * 2**20))
        _publish_until_told_to_wait(system, session)
        session.send(5)
        ballast.unlink()
        since = monotonic()
        session.end()
        session.check()
        recovered("the disk under RabbitMQ full, and room made on it", since)
    finally:
        system.rabbitmq.stop()
        subprocess.run(["umount", data], check=True)
        system.rabbitmq.start()


def test_the_agent_is_cut_off(system: System) -> None:
    wire = Wire(system.rabbitmq.url)
    try:
        with system.agent_at(wire.url):
            session = Session(system, *BOTH)
            session.send(10)
            wire.cut()
            session.send(10)
            assert wait(session.confirms[-10:], 0.2).not_done
            wire.mend()
            since = monotonic()
            session.end()
            session.check()
    finally:
        wire.close()
    recovered("the agent cut off from RabbitMQ, and back", since)


def test_the_agent_is_gone_for_good(system: System) -> None:
    session = Session(system, *BOTH)
    session.send(10)
    session.confirm()
    since = monotonic()
    session.await_progress(20)
    assert session.read()["status"] == "live"
    assert system.api.post(f"{session.path}/end", headers=session.headers).status_code == 200
    session.check()
    recovered("the agent gone for good; its session ended over HTTP", since)


def _publish_until_told_to_wait(system: System, session: Session) -> None:
    """RabbitMQ tells of an alarm only who publishes while it lasts, and looks at its disk now and then."""

    def told() -> bool:
        if not wait(session.confirms, 0).not_done:
            session.send(1)
        return system.broker.blocked

    system.wait_until(told, lambda: "the agent is not told to wait")
