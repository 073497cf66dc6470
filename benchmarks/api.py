"""The HTTP API under load: many who follow, many who ask, while sessions run through the real broker and store."""

import asyncio
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import httpx

from benchmarks.scores import face_score
from shared.broker.rabbitmq import RabbitMqBroker
from shared.topology import SCORES_EXCHANGE, TOPOLOGY
from tests import servers

SESSIONS: Final = 50
FOLLOWERS: Final = 200
REQUESTS_PER_S: Final = 100
SECONDS: Final = 15
SCORES_PER_S: Final = 5

Session = tuple[str, str]


def measure_api() -> dict[str, float]:
    """Return how fast one process answers while sessions run, clients follow, and results are asked for."""
    with servers.redis() as redis_url, servers.rabbitmq() as rabbitmq, _service(redis_url, rabbitmq.url) as url:
        sessions = [_create(url) for _ in range(SESSIONS)]
        stop = multiprocessing.Event()
        told: Any = multiprocessing.Array("l", FOLLOWERS, lock=False)
        ids = [session_id for session_id, _ in sessions]
        helpers = [
            multiprocessing.Process(target=_feed, args=(rabbitmq.url, ids, stop)),
            multiprocessing.Process(target=_follow_all, args=(url, sessions, told, stop)),
        ]
        for helper in helpers:
            helper.start()
        try:
            while not all(told):
                time.sleep(0.1)
            before, begun = sum(told), time.perf_counter()
            figures = asyncio.run(_load(url, sessions))
            heard = (sum(told) - before) / FOLLOWERS / (time.perf_counter() - begun)
        finally:
            stop.set()
            for helper in helpers:
                helper.join()
    return {**figures, "events_per_s": heard}


async def _load(url: str, sessions: Sequence[Session]) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        waits = await _ask(client, sessions)
    return {"p50_ms": 1000 * statistics.median(waits), "p95_ms": 1000 * _quantile(waits, 0.95)}


def _follow_all(url: str, sessions: Sequence[Session], told: Any, stop: Any) -> None:  # noqa: ANN401 - shared memory
    """Follow with many clients, in a process of their own, and count what each is told."""

    async def run() -> None:
        streams = [
            asyncio.create_task(_follow(url, sessions[number % len(sessions)], told, number))
            for number in range(FOLLOWERS)
        ]
        while not stop.is_set():
            await asyncio.sleep(0.1)
        for stream in streams:
            stream.cancel()

    asyncio.run(run())


async def _follow(url: str, session: Session, told: Any, number: int) -> None:  # noqa: ANN401 - shared memory
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"GET /v1/sessions/{session[0]}/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {session[1]}\r\n\r\n"
    )
    writer.write(head.encode())
    while part := await reader.read(65_536):
        told[number] += part.count(b"event: ")
    raise RuntimeError("a stream ended before its session")


async def _ask(client: httpx.AsyncClient, sessions: Sequence[Session]) -> list[float]:
    """Ask on a fixed schedule, and count from when each was due: a slow answer does not make the next one late."""
    begun = time.perf_counter()
    tasks = []
    for number in range(REQUESTS_PER_S * SECONDS):
        due = begun + number / REQUESTS_PER_S
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(_read(client, sessions[number % len(sessions)], due)))
    return await asyncio.gather(*tasks)


async def _read(client: httpx.AsyncClient, session: Session, due: float) -> float:
    answer = await client.get(f"/v1/sessions/{session[0]}", headers=_bearer(session))
    answer.raise_for_status()
    return time.perf_counter() - due


def _feed(url: str, sessions: Sequence[str], stop: Any) -> None:  # noqa: ANN401 - an event of multiprocessing
    broker = RabbitMqBroker(url)
    broker.declare(TOPOLOGY)
    seq = 0
    while not stop.wait(1 / SCORES_PER_S):
        for session_id in sessions:
            score = face_score(session_id, seq, SCORES_PER_S)
            broker.publish(SCORES_EXCHANGE, f"{score.TYPE}.{score.modality}", score.to_message())
        seq += 1
    broker.close()


@contextmanager
def _service(redis_url: str, amqp_url: str) -> Iterator[str]:
    limits = {"FUSION_RATE": "10000"}
    environment = {**os.environ, **limits, "REDIS_URL": redis_url, "AMQP_URL": amqp_url, "FUSION_PORT": "0"}
    command = [sys.executable, "-m", "services.fusion"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        if process.stderr is None:
            raise RuntimeError("the service has no log")
        try:
            ports = (re.search(r'"message": "ready".*"port": (\d+)', line) for line in process.stderr)
            yield f"http://127.0.0.1:{next(found for found in ports if found).group(1)}"
        finally:
            process.terminate()


def _create(url: str) -> Session:
    made = httpx.post(f"{url}/v1/sessions", json={"consent": True, "purpose": "personal"}).raise_for_status().json()
    return made["session_id"], made["token"]


def _bearer(session: Session) -> dict[str, str]:
    return {"Authorization": f"Bearer {session[1]}"}


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
