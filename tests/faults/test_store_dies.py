"""Redis stopped, killed, started from its file and started empty; read-only, full and slow."""

import shutil
from time import monotonic
from typing import Any

import pytest

from shared.emotions import Modality
from tests.faults.session import Session
from tests.faults.system import LONG, TIMEOUT_S, System, recovered
from tests.servers import free_port

pytestmark = pytest.mark.timeout(TIMEOUT_S)

BOTH = (Modality.AUDIO, Modality.FACE)

REFUSALS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "read-only (a replica)": (("REPLICAOF", "127.0.0.1", free_port()), ("REPLICAOF", "NO", "ONE")),
    "without the replicas it needs": (
        ("CONFIG", "SET", "min-replicas-to-write", 1),
        ("CONFIG", "SET", "min-replicas-to-write", 0),
    ),
    "full": (("CONFIG", "SET", "maxmemory", 1), ("CONFIG", "SET", "maxmemory", 0)),
}


@pytest.mark.parametrize("how", ["killed (-9)", "stopped"])
@pytest.mark.parametrize("attempt", range(3 if LONG else 1))
def test_redis_goes_and_comes_back_with_what_it_kept(system: System, how: str, attempt: int) -> None:
    session = Session(system, *BOTH)
    session.send(10)
    session.await_progress(5)
    if how == "stopped":
        system.redis.stop()
    else:
        system.redis.kill()
    session.send(5)
    answer = system.api.get(session.path, headers=session.headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert system.answers("fusion", "/healthz")
    assert not system.answers("fusion", "/readyz")
    system.redis.start()
    since = monotonic()
    session.end()
    session.check()
    recovered(f"Redis {how} and started from its AOF (round {attempt + 1})", since)


def test_redis_comes_back_empty(system: System) -> None:
    lost = Session(system, *BOTH)
    lost.send(5)
    lost.confirm()
    lost.await_progress(1)
    system.redis.kill()
    shutil.rmtree(system.redis.folder / "appendonlydir")
    system.redis.start()
    since = monotonic()
    lost.send(5)
    lost.end()
    session = Session(system, *BOTH)
    session.send(5)
    session.end()
    session.check()
    recovered("Redis started empty; a session that began after it", since)
    assert system.api.get(lost.path, headers=lost.headers).status_code == 404
    with system.store() as store:
        left = [key for key in store.scan_iter("mien:session:*") if store.ttl(key) < 0]
    assert left == [], "what comes late of a session that is gone does not stay for ever"


@pytest.mark.parametrize("how", REFUSALS)
def test_redis_takes_no_writes(system: System, how: str) -> None:
    refuse, accept = REFUSALS[how]
    session = Session(system, *BOTH)
    session.send(5)
    session.confirm()
    session.await_progress(1)
    with system.store() as store:
        store.execute_command(*refuse)
        try:
            session.send(5)
            session.confirm()
            made = system.api.post("/v1/sessions", json={"consent": True, "purpose": "personal"})
            assert made.status_code == 503, made.text
        finally:
            store.execute_command(*accept)
    since = monotonic()
    session.end()
    session.check()
    recovered(f"Redis {how}, and over it", since)


@pytest.mark.parametrize("seconds", [3, *((25,) if LONG else ())])
def test_redis_is_slow(system: System, seconds: int) -> None:
    session = Session(system, *BOTH)
    session.send(5)
    with system.store() as store:
        store.execute_command("CLIENT", "PAUSE", 1000 * seconds, "ALL")
    since = monotonic() + seconds
    session.send(5)
    assert system.answers("fusion", "/healthz"), "a slow store makes no process unsound"
    session.end()
    session.check()
    recovered(f"Redis that answers nothing for {seconds} s", since)
