"""The real system for a measurement: private RabbitMQ and Redis, and each service in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil

from shared.broker.rabbitmq import RabbitMqBroker
from shared.topology import TOPOLOGY
from tests import servers

_READY: Final = re.compile(r'"message": "ready"')
_SERVERS: Final = {"beam.smp": "rabbitmq", "redis-server": "redis"}
_ONE_THREAD: Final = {"TEXT_THREADS": "1", "AUDIO_THREADS": "1", "FACE_THREADS": "1", "OMP_NUM_THREADS": "1"}
_QUIET: Final = {"TF_CPP_MIN_LOG_LEVEL": "3", "LOG_LEVEL": "INFO"}


@dataclass(slots=True)
class System:
    """Servers that run, and services that are started on them.

    Attributes:
        amqp_url: Where RabbitMQ is.
        redis_url: Where Redis is.
        processes: The services that run, by name and number.
    """

    amqp_url: str
    redis_url: str
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def broker(self) -> RabbitMqBroker:
        """Return a connection of the measurement's own; the topology is declared."""
        broker = RabbitMqBroker(self.amqp_url)
        broker.declare(TOPOLOGY)
        return broker

    def used_s(self) -> dict[str, float]:
        """Return the processor seconds used so far by each service, by ``rabbitmq`` and by ``redis``."""
        used = {name: _used_s(psutil.Process(process.pid)) for name, process in self.processes.items()}
        for child in psutil.Process().children(recursive=True):
            if name := _SERVERS.get(child.name()):
                used[name] = used.get(name, 0.0) + _used_s(child)
        return used

    @contextmanager
    def running(self, service: str, number: int = 0, settings: Mapping[str, str] | None = None) -> Iterator[None]:
        """Run a service until left; it is ready and warm when entered.

        Args:
            service: Its package, for example ``text``.
            number: Tells several of a kind apart.
            settings: Environment variables of its own.
        """
        addresses = {"AMQP_URL": self.amqp_url, "REDIS_URL": self.redis_url, "FUSION_PORT": "0"}
        environment = {**os.environ, **_QUIET, **addresses, **(settings or {})}
        command = [sys.executable, "-m", f"services.{service}"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                _await_ready(process, service)
                self.processes[f"{service}-{number}"] = process
                yield
            finally:
                self.processes.pop(f"{service}-{number}", None)
                process.terminate()
                process.communicate()


@contextmanager
def started() -> Iterator[System]:
    """Give a system without services, on fresh servers.

    Raises:
        NoServerError: If RabbitMQ or Redis is not installed.
    """
    with servers.rabbitmq() as rabbitmq, servers.redis() as redis_url:
        yield System(rabbitmq.url, redis_url)


@contextmanager
def all_services(system: System) -> Iterator[System]:
    """Run one of each service, each model on one thread; faces give way to speech, as they should on one machine."""
    with ExitStack() as stack:
        for service in ("fusion", "text", "audio", "face"):
            settings = {**_ONE_THREAD, "WORKER_NICE": "5" if service == "face" else "0"}
            stack.enter_context(system.running(service, settings=settings))
        yield system


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _await_ready(process: subprocess.Popen[str], service: str) -> None:
    lines = []
    for line in process.stderr or ():
        lines.append(line)
        if _READY.search(line):
            return
    raise RuntimeError(f"services.{service} ended before it was ready:\n{''.join(lines[-20:])}")
