"""How a modality service runs as a process of its own: load, connect, consume, and drain when told to stop."""

import logging
import signal
import sys
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings

from shared.broker.rabbitmq import RabbitMqBroker
from shared.errors import MienError
from shared.health import HealthServer
from shared.log import configure_logging
from shared.messages.message import Message
from shared.scoring import Scorer
from shared.settings import BrokerSettings
from shared.topology import TOPOLOGY
from shared.worker import Chunk, Worker

logger = logging.getLogger(__name__)

WindowT = TypeVar("WindowT")


class WorkerSettings(BaseSettings):
    """How a worker process runs, from the environment.

    Attributes:
        worker_batch_size: Most messages judged together.
        worker_health_host: Address of ``/healthz`` and ``/readyz``.
        worker_health_port: Their port; 0 takes a free one.
        log_level: The least severe level that is logged.
    """

    worker_batch_size: int = Field(default=8, ge=1, le=256)
    worker_health_host: str = "127.0.0.1"
    worker_health_port: int = Field(default=0, ge=0, le=65535)
    log_level: str = "INFO"


def run_worker(load_scorer: Callable[[], Scorer[WindowT]], read: Callable[[Message], tuple[Chunk, WindowT]]) -> int:
    """Run one worker process until SIGTERM or SIGINT, and return its exit code.

    Args:
        load_scorer: Loads the weights; called once.
        read: Opens a message.
    """
    stop = stop_on_signals()
    try:
        settings, broker_settings = WorkerSettings(), BrokerSettings()
        configure_logging("worker", settings.log_level)
        _serve(load_scorer, read, settings, broker_settings, stop)
    except (MienError, ValidationError) as error:
        return explain(error)
    return 0


def stop_on_signals() -> Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def explain(error: MienError | ValidationError) -> int:
    """Say on standard error, in a sentence, why the process cannot run, and return its exit code."""
    if isinstance(error, ValidationError):
        faults = (f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors())
        sys.stderr.write("A setting is wrong: " + "; ".join(faults) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    return 1


def _serve(
    load_scorer: Callable[[], Scorer[WindowT]],
    read: Callable[[Message], tuple[Chunk, WindowT]],
    settings: WorkerSettings,
    broker_settings: BrokerSettings,
    stop: Event,
) -> None:
    started = time.perf_counter()
    scorer = load_scorer()
    scorer.warm_up()
    logger.info("model warm", extra={"model": scorer.model.name, "seconds": time.perf_counter() - started})
    broker = RabbitMqBroker(broker_settings)
    worker = Worker(broker, scorer, read, batch_size=settings.worker_batch_size)
    try:
        broker.declare(TOPOLOGY)
        worker.start()
        health = HealthServer(
            settings.worker_health_host,
            settings.worker_health_port,
            healthy=lambda: worker.alive,
            ready=lambda: worker.alive and broker.connected,
        )
        with health:
            logger.info("ready", extra={"modality": scorer.modality, "health_port": health.port})
            stop.wait()
            logger.info("draining", extra={"modality": scorer.modality})
        worker.stop()
    finally:
        broker.close()
    logger.info("stopped", extra={"modality": scorer.modality})
