"""Every service as a process of its own, over a real RabbitMQ and a real Redis."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import pytest

from shared.emotions import MODALITIES, Modality
from tests.e2e.command import SAMPLE, mien
from tests.servers import free_port

START_S: Final = 90.0
COMPLETE_S: Final = 90.0
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The running services.

    Attributes:
        broker_url: Where their RabbitMQ is.
        api: A client of the fusion service.
        environment: What their processes were given.
        processes: They themselves, by name.
    """

    broker_url: str
    api: httpx.Client
    environment: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"]

    def capture(self, *arguments: str | Path) -> dict[str, Any]:
        """Publish the sample and return what the agent printed."""
        done = mien("capture", "--file", SAMPLE, "--consent", *arguments, environment={"AMQP_URL": self.broker_url})
        assert done.returncode == 0, done.stderr
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    def completed(self, session: dict[str, Any]) -> dict[str, Any]:
        """Wait until every chunk of a session is accounted for, and return its result."""
        path = f"/v1/sessions/{session['session_id']}"
        result: dict[str, Any] = {}

        def is_complete() -> bool:
            answer = self.api.get(path, headers=bearer(session))
            result.update(answer.json())
            return answer.status_code == 200 and result["status"] == "complete"

        self.wait_until(is_complete, lambda: str(result))
        return result

    def wait_until(self, is_true: Callable[[], bool], explain: Callable[[], str]) -> None:
        """Ask again and again, within a bound, as long as the fusion service lives."""
        wait_beside(self.processes["fusion"], is_true, COMPLETE_S, explain)


def bearer(session: dict[str, Any]) -> dict[str, str]:
    """Return the header that opens a session."""
    return {"Authorization": f"Bearer {session['token']}"}


def wait_beside(
    process: "subprocess.Popen[bytes]", is_true: Callable[[], bool], seconds: float, explain: Callable[[], str]
) -> None:
    """Ask again and again, within a bound, as long as a process lives."""
    deadline = monotonic() + seconds
    while not is_true():
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"{process.args!r} ended with {process.wait(POLL_S)}: {explain()}")
        assert monotonic() < deadline, explain()


@contextmanager
def running_system(rabbitmq_url: str, redis_url: str, logs: Path) -> Iterator[System]:
    """Start every service as a process of its own, wait until all are ready, and give them; logs go to a folder."""
    port = free_port()
    environment = {
        **os.environ, "AMQP_URL": rabbitmq_url, "REDIS_URL": redis_url, "FUSION_PORT": str(port),
    }  # fmt: skip
    health = {modality: free_port() for modality in MODALITIES}
    with ExitStack() as stack:
        processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("fusion", *MODALITIES):
            extra = {} if name == "fusion" else {"WORKER_HEALTH_PORT": str(health[Modality(name)])}
            log = stack.enter_context((logs / f"{name}.log").open("wb"))
            processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}"], env={**environment, **extra}, stdout=log, stderr=log
            )
            stack.callback(_kill, processes[name])
        api = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10))
        urls: dict[str, str] = {
            "fusion": f"http://127.0.0.1:{port}",
            **{name: f"http://127.0.0.1:{at}" for name, at in health.items()},
        }
        for name, url in urls.items():
            wait_beside(processes[name], partial(_is_ready, url), START_S, partial(_tails, logs))
        yield System(broker_url=rabbitmq_url, api=api, environment=environment, processes=processes)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _tails(logs: Path) -> str:
    return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in logs.iterdir())
