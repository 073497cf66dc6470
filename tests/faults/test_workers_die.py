"""Workers that are killed in the middle of inference, stand still, or hang."""

import signal
import subprocess
from time import monotonic

import pytest

from shared.emotions import Modality
from shared.topology import DELIVERY_LIMIT, MEDIA_QUEUES
from tests.faults.poisoned import poison
from tests.faults.session import Session
from tests.faults.system import LONG, PATIENCE_S, TIMEOUT_S, System, recovered

pytestmark = pytest.mark.timeout(TIMEOUT_S)

KILLED = (Modality.AUDIO, Modality.FACE, *((Modality.TEXT,) if LONG else ()))


@pytest.mark.parametrize("modality", KILLED)
@pytest.mark.parametrize("attempt", range(3 if LONG else 1))
def test_a_worker_killed_in_the_middle_of_inference(system: System, modality: Modality, attempt: int) -> None:
    if modality not in system.processes:
        system.start(modality)
    session = Session(system, modality)
    session.send(200 if modality is Modality.FACE else 20)
    session.await_progress(1)
    system.kill(modality)
    since = monotonic()
    assert session.accounted() < session.published(modality), "it had work in hand"
    system.start(modality)
    session.end()
    session.check()
    recovered(f"{modality} worker killed (-9) while it judged, and started again (round {attempt + 1})", since)


def test_a_worker_that_stands_still_loses_its_work_to_another_and_goes_on_later(system: System) -> None:
    system.stop("face")
    system.launch("still", module="services.face", environment={"AMQP_HEARTBEAT_S": "1"})
    system.await_ready("still")
    session = Session(system, Modality.FACE)
    session.send(200)
    session.await_progress(1)
    system.processes["still"].send_signal(signal.SIGSTOP)
    since = monotonic()
    system.start("face")
    session.end()
    session.check()
    recovered("face worker stood still (SIGSTOP, heartbeat of 1 s); another took over", since)
    system.processes["still"].send_signal(signal.SIGCONT)
    system.stop("still")
    session.check()


def test_a_worker_whose_model_hangs_ends_itself_and_its_work_goes_to_another(system: System) -> None:
    hanging = _hanging_worker(system)
    session = Session(system, Modality.FACE)
    session.send(20)
    assert hanging.wait(PATIENCE_S) == 1
    del system.processes["hanging"]
    since = monotonic()
    assert "the worker hangs" in system.tail("hanging")
    system.start("face")
    session.end()
    session.check()
    recovered("face worker hung, ended itself, and was started again", since)


def test_a_worker_whose_model_hangs_ends_itself_while_it_drains_too(system: System) -> None:
    hanging = _hanging_worker(system)
    session = Session(system, Modality.FACE)
    session.send(4)
    session.confirm()
    queue = MEDIA_QUEUES[Modality.FACE]
    system.wait_until(lambda: system.broker.depth(queue) == 0, lambda: f"{queue} is not taken")
    hanging.terminate()
    assert hanging.wait(PATIENCE_S) == 1
    del system.processes["hanging"]
    since = monotonic()
    system.start("face")
    session.end()
    session.check()
    recovered("face worker told to end while it hung, and started again", since)


def test_a_frame_that_kills_every_worker_fails_alone(system: System) -> None:
    system.stop("face")
    session, beside = Session(system, Modality.FACE), 11
    session.look(4)
    session.look(1, poison())
    session.look(beside - 4)
    session.end()
    since, deaths = monotonic(), 0
    while session.read().get("status") != "complete":
        deaths += _dies(system, session)
    row = session.read()["accounting"][Modality.FACE]
    assert (row["published"], row["abstained"], row["failed"]) == (beside + 1, beside, 1)
    assert DELIVERY_LIMIT < deaths <= DELIVERY_LIMIT + 2, "once in company, then alone"
    recovered(f"face worker killed by one frame, {deaths} times, and started again each time", since)


def _dies(system: System, session: Session) -> bool:
    """Run a worker that one frame kills until it is dead or has no more to do, and say whether it is dead."""
    worker = system.launch("poisoned", module="tests.faults.poisoned")
    del system.processes["poisoned"]  # or its death would be taken for a failure
    system.wait_until(
        lambda: worker.poll() is not None or session.read().get("status") == "complete", lambda: str(session.read())
    )
    is_dead = worker.poll() is not None
    worker.terminate()
    assert worker.wait(PATIENCE_S) == (-signal.SIGKILL if is_dead else 0), system.tail("poisoned")
    return is_dead


def _hanging_worker(system: System) -> "subprocess.Popen[bytes]":
    """Put one in the place of the face worker whose model hangs at its first batch."""
    system.stop("face")
    hanging = system.launch("hanging", module="tests.faults.hanging", environment={"WORKER_HANG_S": "2"})
    system.await_ready("hanging")
    return hanging
