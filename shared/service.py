"""How a modality service runs as a process of its own: load, connect, consume, and drain when told to stop."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from pydantic import Field, PositiveFloat, ValidationError
from pydantic_settings import BaseSettings

from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import Modality
from shared.errors import MienError
from shared.health import HealthServer
from shared.log import configure_logging
from shared.settings import BrokerSettings
from shared.stopping import Stop, stop_on_signals
from shared.topology import TOPOLOGY
from shared.tracing import configure_tracing
from shared.worker import Worker

logger = logging.getLogger(__name__)

WindowT = TypeVar("WindowT")

_LOOK_S: Final = 1.0
"""Seconds between two looks at whether the worker hangs."""


class WorkerSettings(BaseSettings):
    """How a worker process runs, from the environment.

    Attributes:
        worker_batch_size: Most messages judged together.
        worker_health_host: Address of ``/healthz`` and ``/readyz``.
        worker_health_port: Their port; 0 takes a free one.
        worker_hang_s: Seconds that a batch may take. A worker that takes longer hangs: it says so at ``/healthz`` and
            ends, so that what it has in hand goes to another. A batch that is merely slow must stay far below it.
        worker_nice: How far it gives way to other processes of its machine, as ``nice`` has it: 0 (not at all) to 19.
        log_level: The least severe level that is logged.
    """

    worker_batch_size: int = Field(default=8, ge=1, le=256)
    worker_health_host: str = "127.0.0.1"
    worker_health_port: int = Field(default=0, ge=0, le=65535)
    worker_hang_s: PositiveFloat = 600.0
    worker_nice: int = Field(default=0, ge=0, le=19)
    log_level: str = "INFO"


def run_worker(modality: Modality, load_worker: Callable[[Broker, int], Worker[WindowT]]) -> int:
    """Run one worker process until SIGTERM or SIGINT, and return its exit code.

    Args:
        modality: What the worker judges.
        load_worker: Loads and warms the model of a worker on a broker, given its batch size.
    """
    stop = stop_on_signals()
    try:
        settings, broker_settings = WorkerSettings(), BrokerSettings()
        configure_logging(modality, settings.log_level)
        configure_tracing(modality)
        os.nice(settings.worker_nice)
        broker = RabbitMqBroker(broker_settings)
        try:
            broker.declare(TOPOLOGY)
            _serve(load_worker(broker, settings.worker_batch_size), broker, settings, stop)
        finally:
            broker.close()
    except (MienError, ValidationError) as error:
        return explain(error)
    return 0


def explain(error: MienError | ValidationError) -> int:
    """Say on standard error, in a sentence, why the process cannot run, and return its exit code."""
    if isinstance(error, ValidationError):
        faults = (f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors())
        sys.stderr.write("A setting is wrong: " + "; ".join(faults) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    return 1


def _serve(worker: Worker[WindowT], broker: RabbitMqBroker, settings: WorkerSettings, stop: Stop) -> None:
    def is_sound() -> bool:
        return worker.alive and worker.busy_s <= settings.worker_hang_s

    health = HealthServer(
        settings.worker_health_host,
        settings.worker_health_port,
        healthy=is_sound,
        ready=lambda: is_sound() and broker.connected,
    )
    worker.start()
    with health:
        logger.info("ready", extra={"health_port": health.port})
        while not stop.wait(_LOOK_S):
            if not is_sound():
                _give_up(worker)
        logger.info("draining")
    worker.drain()
    while not worker.wait(_LOOK_S):
        if not is_sound():
            _give_up(worker)
    logger.info("stopped")


def _give_up(worker: Worker[WindowT]) -> NoReturn:
    """End at once: a model that hangs in native code would hold up an orderly end, and with it what it has in hand."""
    logger.critical(
        "the worker hangs or has died; ending it, so that its work goes to another", extra={"busy_s": worker.busy_s}
    )
    logging.shutdown()
    os._exit(1)
