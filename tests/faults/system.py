"""The real system, every service a process of its own, over servers that a test may stop and kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import redis
from pydantic import SecretStr

from shared.broker.rabbitmq import RabbitMqBroker
from shared.settings import BrokerSettings
from shared.topology import TOPOLOGY
from tests.faults.hosts import Host
from tests.servers import RabbitMqServer, Restartable, free_port

LONG: Final = os.environ.get("MIEN_FAULTS") == "long"
"""Whether every case is run, with every worker and several times over: ``make faults``."""

PATIENCE_S: Final = 400.0 if LONG else 100.0
POLL_S: Final = 0.1

TIMEOUT_S: Final = 12 * PATIENCE_S if LONG else 300.0
"""Seconds that a test may take; much of it is starting servers and models beside whatever else the machine does."""

_USUAL: Final = frozenset({"fusion", "audio", "face"})

RECOVERIES: Final[list[tuple[str, float]]] = []
"""How many seconds each case took to recover, for the table at the end of the run."""


class System:
    """RabbitMQ, Redis and the services over them.

    Attributes:
        rabbitmq: The broker.
        redis: The store.
        host: Another host, or the reason why there is none.
        addresses: Of the services that run elsewhere, by name.
        patience_s: Seconds that anything may take.
        broker: The connection of the agent, whose part the test plays.
        api: A client of the fusion service.
        api_port: Where it answers.
        processes: The services that run, by name.
    """

    def __init__(self, rabbitmq: Restartable, store: Restartable, host: Host | str, logs: Path) -> None:
        self.rabbitmq, self.redis, self.host = rabbitmq, store, host
        self.addresses: dict[str, str] = {}
        self.patience_s = PATIENCE_S
        self._logs = logs
        self.broker = RabbitMqBroker(BrokerSettings(url=SecretStr(rabbitmq.url), reconnect_max_s=1.0))
        self.broker.declare(TOPOLOGY)
        self.api_port = free_port()
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{self.api_port}", timeout=30)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: dict[str, int] = {"fusion": self.api_port}

    def launch(
        self,
        name: str,
        *,
        wrapped: tuple[str, ...] = (),
        module: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a service and return at once.

        Args:
            name: What it is called here, and where ``module`` is None, which service it is.
            wrapped: A command that runs it.
            module: What ``python -m`` runs.
            environment: What it is given beside the addresses of the servers.
        """
        port = self._ports.setdefault(name, free_port())
        every = {
            **os.environ, "AMQP_URL": self.rabbitmq.url, "REDIS_URL": self.redis.url, "AMQP_RECONNECT_MAX_S": "1",
            "FUSION_PORT": str(port), "FUSION_RATE": "10000", "WORKER_HEALTH_PORT": str(port), "PYTHONPATH": ".",
        }  # fmt: skip
        command = [*wrapped, sys.executable, "-m", module or f"services.{name}"]
        with (self._logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env={**every, **(environment or {})}, stdout=log, stderr=log
            )
        return self.processes[name]

    def start(self, *names: str) -> None:
        """Start services side by side, and wait until they take work."""
        for name in names:
            self.launch(name)
        for name in names:
            self.await_ready(name)

    def mend(self) -> None:
        """Start what does not run: the servers, fusion, and the two workers that are soon ready."""
        for server in (self.rabbitmq, self.redis):
            if not server.runs:
                server.start()
        for name in [name for name, process in self.processes.items() if process.poll() is not None]:
            del self.processes[name]
        for name in self.processes.keys() - _USUAL:
            self.kill(name)
        self.start(*sorted(_USUAL - self.processes.keys()))

    def kill(self, name: str) -> None:
        """End a service with SIGKILL."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> None:
        """Let a service end in order."""
        process = self.processes.pop(name)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0, self.tail(name)

    def await_ready(self, name: str) -> None:
        """Wait until a service takes work."""
        self.wait_until(lambda: self.answers(name, "/readyz"), lambda: f"{name} is not ready: {self.tail(name)}")

    def answers(self, name: str, path: str) -> bool:
        """Return whether a service answers a question with 200."""
        host = self.addresses.get(name, "127.0.0.1")
        with suppress(httpx.TransportError):
            return self.api.get(f"http://{host}:{self._ports[name]}{path}", timeout=10).status_code == 200
        return False

    def ctl(self, *arguments: str) -> None:
        """Run ``rabbitmqctl``."""
        RabbitMqServer(self.rabbitmq.url, self.rabbitmq.environment).ctl(*arguments)

    def tail(self, name: str) -> str:
        """Return the end of a service's log."""
        return (self._logs / f"{name}.log").read_text(errors="replace")[-3000:]

    def wait_until(self, is_true: Callable[[], bool], explain: Callable[[], str]) -> None:
        """Ask again and again, within a bound, as long as every service lives."""
        deadline = monotonic() + self.patience_s
        while not is_true():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} has ended: {self.tail(name)}"
            assert monotonic() < deadline, explain()
            wait_a_little(self.processes)

    @contextmanager
    def store(self) -> Iterator[Any]:
        """Give a client of Redis."""
        with redis.Redis.from_url(self.redis.url) as found:
            yield found

    @contextmanager
    def agent_at(self, url: str) -> Iterator[None]:
        """Let the agent reach RabbitMQ at another address for a while."""
        usual, self.broker = self.broker, RabbitMqBroker(BrokerSettings(url=SecretStr(url), reconnect_max_s=1.0))
        try:
            self.broker.declare(TOPOLOGY)
            yield
        finally:
            self.broker.close()
            self.broker = usual

    def close(self) -> None:
        """End everything."""
        for name in list(self.processes):
            self.kill(name)
        self.broker.close()
        self.api.close()


def wait_a_little(processes: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    """Let a moment pass, or less where a service ends in it."""
    for process in processes.values():
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
        return


def recovered(case: str, since: float) -> None:
    """Note how long a case took to recover.

    Args:
        case: What had happened.
        since: When it was over (monotonic).
    """
    RECOVERIES.append((case, monotonic() - since))
