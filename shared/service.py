"""How a modality service runs as a process of its own: load, connect, consume, and drain when told to stop."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import Modality
from shared.errors import MienError, SettingsError
from shared.health import HealthServer
from shared.log import configure_logging
from shared.settings import BrokerSettings, WorkerSettings
from shared.stopping import Stop, stop_on_signals
from shared.topology import TOPOLOGY
from shared.tracing import configure_tracing
from shared.worker import Worker

logger = logging.getLogger(__name__)

WindowT = TypeVar("WindowT")

_LOOK_S: Final = 1.0
"""Seconds between two looks at whether the worker hangs."""


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
        os.nice(settings.nice)
        broker = RabbitMqBroker(broker_settings)
        try:
            broker.declare(TOPOLOGY)
            _serve(load_worker(broker, settings.batch_size), broker, settings, stop)
        finally:
            broker.close()
    except MienError as error:
        return explain(error)
    return 0


def explain(error: MienError) -> int:
    """Say on standard error, in a sentence, why the process cannot run, and return its exit code."""
    sys.stderr.write(f"{error}\n")
    return 1


def _serve(worker: Worker[WindowT], broker: RabbitMqBroker, settings: WorkerSettings, stop: Stop) -> None:
    def is_sound() -> bool:
        return worker.alive and worker.busy_s <= settings.hang_s

    health = _health_server(settings, healthy=is_sound, ready=lambda: is_sound() and broker.connected)
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


def _health_server(settings: WorkerSettings, *, healthy: Callable[[], bool], ready: Callable[[], bool]) -> HealthServer:
    host, port = settings.health_host, settings.health_port
    try:
        return HealthServer(host, port, healthy=healthy, ready=ready)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host} port {port} ({error.strerror}); set WORKER_HEALTH_HOST and WORKER_HEALTH_PORT."
        ) from None


def _give_up(worker: Worker[WindowT]) -> NoReturn:
    """End at once: a model that hangs in native code would hold up an orderly end, and with it what it has in hand."""
    logger.critical(
        "the worker hangs or has died; ending it, so that its work goes to another", extra={"busy_s": worker.busy_s}
    )
    logging.shutdown()
    os._exit(1)
