"""A worker on another host, and the network between them cut without a word to either side."""

from time import monotonic

import pytest

from shared.emotions import Modality
from tests.faults.session import Session
from tests.faults.system import LONG, TIMEOUT_S, System, recovered

pytestmark = pytest.mark.timeout(TIMEOUT_S)


@pytest.mark.parametrize("modality", [Modality.FACE, *((Modality.AUDIO,) if LONG else ())])
def test_a_worker_beyond_a_cut_loses_its_work_to_another_and_comes_back(system: System, modality: Modality) -> None:
    host = system.host
    if isinstance(host, str):
        pytest.skip(host)
    system.stop(modality)
    url = system.rabbitmq.url.replace("127.0.0.1", host.ours)
    there = {"AMQP_URL": url, "AMQP_HEARTBEAT_S": "1", "WORKER_HEALTH_HOST": "0.0.0.0"}  # noqa: S104  (alone there)
    system.launch("far", module=f"services.{modality}", wrapped=host.inside, environment=there)
    system.addresses["far"] = host.address
    system.await_ready("far")
    session = Session(system, modality)
    session.send(100 if modality is Modality.FACE else 20)
    session.await_progress(1)
    host.cut()
    since = monotonic()
    try:
        system.start(modality)
        session.end()
        session.check()
        recovered(f"network cut off the {modality} worker (heartbeat of 1 s); another took over", since)
        system.stop(modality)
    finally:
        host.mend()
    since = monotonic()
    system.await_ready("far")
    after = Session(system, modality)
    after.send(10)
    after.end()
    after.check()
    recovered(f"network mended; the {modality} worker beyond it works again", since)
    session.check()
