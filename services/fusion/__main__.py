"""Run the fusion service, worker and HTTP API in one process: ``python -m services.fusion`` (settings: its README)."""

import ipaddress
import logging
import socket
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import redis

from services.fusion.api import Server, create_app
from services.fusion.api.ports import Ingest
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore, connect
from services.fusion.worker import FusionWorker
from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitMqBroker
from shared.errors import MienError, SettingsError
from shared.log import configure_logging
from shared.service import explain
from shared.settings import BrokerSettings
from shared.stopping import Stop, stop_on_signals
from shared.topology import TOPOLOGY
from shared.tracing import configure_tracing

logger = logging.getLogger("services.fusion")


def main(make_ingest: Callable[[Broker], Ingest] | None = None) -> int:
    """Run the service until SIGTERM or SIGINT, and return its exit code.

    Args:
        make_ingest: Makes what reads recordings and live sound and pictures; without it the service takes none.
    """
    stop = stop_on_signals()
    try:
        settings, broker_settings = FusionSettings(), BrokerSettings()
        configure_logging("fusion", settings.log_level)
        configure_tracing("fusion")
        store = open_store(settings)
        broker = RabbitMqBroker(broker_settings)
        try:
            broker.declare(TOPOLOGY)
            ingest = make_ingest(broker) if make_ingest else None
            _serve(settings, store, broker, stop, ingest)
        finally:
            broker.close()
    except MienError as error:
        return explain(error)
    return 0


def open_store(settings: FusionSettings) -> SessionStore:
    """Return the store, once Redis answers.

    Raises:
        SettingsError: If Redis cannot be reached.
    """
    url = settings.redis_url.get_secret_value()
    store = SessionStore(connect(url, settings.redis_ca_file))
    try:
        store.ping()
    except redis.RedisError as error:
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise SettingsError(
                f"Redis at {place} does not prove who it is, and nothing was sent; name the authority to trust in "
                "REDIS_CA_FILE, or correct the host in REDIS_URL."
            ) from None
        raise SettingsError(
            f"Redis does not answer at {place} ({error}); start it there, or set REDIS_URL to where it is."
        ) from None
    return store


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        SettingsError: If the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host} port {port} ({error.strerror}); set FUSION_HOST and FUSION_PORT."
        ) from None


def _serve(
    settings: FusionSettings, store: SessionStore, broker: RabbitMqBroker, stop: Stop, ingest: Ingest | None
) -> None:
    worker = FusionWorker(broker, store)
    app = create_app(store, settings, lambda: worker.alive and broker.connected, broker=broker, ingest=ingest)
    server = Server(app, settings.fusion_tls_cert_file, settings.fusion_tls_key_file)
    with listen(settings.fusion_host, settings.fusion_port) as bound:
        if not settings.fusion_api_keys and not _is_loopback(settings.fusion_host):
            logger.warning("anybody who reaches this address can create sessions; set FUSION_API_KEYS")
        worker.start()
        try:
            logger.info("ready", extra={"host": settings.fusion_host, "port": bound.getsockname()[1]})
            server.run(sockets=[bound], is_over=stop.is_set)
            logger.info("draining")
        finally:
            worker.stop()
    logger.info("stopped")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
