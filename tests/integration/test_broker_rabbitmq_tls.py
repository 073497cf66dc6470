"""``amqps://`` against a RabbitMQ with a certificate: who it is is checked before anything is sent."""

from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from shared.broker.rabbitmq import RabbitMqBroker
from shared.errors import BrokerError
from shared.settings import BrokerSettings
from tests.broker_house import Consumer, House, publish
from tests.servers import RabbitMqServer


def settings(server: RabbitMqServer, host: str, ca_file: Path | None) -> BrokerSettings:
    if server.tls_port is None:
        pytest.skip("only an own server has a certificate")
    url = SecretStr(f"amqps://guest:guest@{host}:{server.tls_port}/%2F")
    return BrokerSettings(url=url, ca_file=ca_file, connect_timeout_s=20)


def refused(settings: BrokerSettings) -> str:
    broker = RabbitMqBroker(settings)
    try:
        with pytest.raises(BrokerError) as caught:
            broker.depth("any")
    finally:
        broker.close()
    return str(caught.value)


def test_messages_travel_where_the_certificate_is_vouched_for(rabbitmq_server: RabbitMqServer) -> None:
    house = House()
    broker = RabbitMqBroker(settings(rabbitmq_server, "localhost", rabbitmq_server.ca_file))
    try:
        broker.declare(house.topology())
        publish(broker, house, b"over TLS")
        assert Consumer(broker, house.queue).take_bodies(1) == [b"over TLS"]
    finally:
        broker.close()


def test_a_server_that_nobody_trusted_vouches_for_is_refused_at_once(
    rabbitmq_server: RabbitMqServer, tmp_path: Path
) -> None:
    assert "AMQP_CA_FILE" in refused(settings(rabbitmq_server, "localhost", None))
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    sentence = refused(settings(rabbitmq_server, "localhost", other))
    assert "does not prove who it is" in sentence
    assert "guest" not in sentence


def test_a_certificate_of_another_name_is_refused(rabbitmq_server: RabbitMqServer) -> None:
    assert "does not prove who it is" in refused(settings(rabbitmq_server, "127.0.0.1", rabbitmq_server.ca_file))
