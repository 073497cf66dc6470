"""The RabbitMQ adapter keeps the contract."""

from collections.abc import Callable, Iterator

import pika
import pytest

from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitMqBroker
from tests.broker_house import KEY, Consumer, House
from tests.contract.broker_contract import BrokerContract


class TestRabbitMqBroker(BrokerContract):
    @pytest.fixture
    def connect(self, rabbitmq_url: str) -> Iterator[Callable[[], Broker]]:
        brokers: list[RabbitMqBroker] = []

        def connect() -> Broker:
            brokers.append(RabbitMqBroker(rabbitmq_url))
            return brokers[-1]

        yield connect
        for broker in brokers:
            broker.close()

    @pytest.fixture
    def house(self, rabbitmq_url: str) -> Iterator[House]:
        house = House()
        yield house
        connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
        channel = connection.channel()
        for queue in (
            house.queue,
            house.dead_queue,
            *(house.queue + suffix for suffix in (".picky", ".twice", ".grave")),
        ):
            channel.queue_delete(queue)
        for exchange in (house.exchange, house.exchange + ".last", house.dead_exchange):
            channel.exchange_delete(exchange)
        connection.close()

    def test_a_foreign_message_still_arrives(self, broker: Broker, house: House, rabbitmq_url: str) -> None:
        broker.declare(house.topology())
        foreign = pika.BasicProperties(
            headers={"x-death": "nonsense", "table": {"a": 1}, "list": [1], "none": None, "bytes": b"\xff", "ok": 1}
        )
        connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
        connection.channel().basic_publish(house.exchange, KEY, b"\x00\xff", foreign)
        connection.close()
        delivery = Consumer(broker, house.queue).take()
        assert delivery.message.body == b"\x00\xff"
        assert (delivery.message.type, delivery.message.message_id, delivery.message.correlation_id) == ("", "", "")
        assert delivery.message.timestamp.timestamp() == 0
        assert delivery.message.headers == {"ok": 1}
        assert delivery.death is None
