"""The broker that judges on the person's machine keeps the contract for all that it sends on."""

from collections.abc import Callable, Iterator

import pytest

from services.cli.local import LocalBroker
from shared.broker.memory import MemoryBroker, MemoryServer
from shared.broker.port import Broker
from tests.contract.broker_contract import BrokerContract


class TestLocalBroker(BrokerContract):
    @pytest.fixture
    def connect(self) -> Iterator[Callable[[], Broker]]:
        server = MemoryServer()
        brokers: list[LocalBroker] = []

        def connect() -> Broker:
            brokers.append(LocalBroker(MemoryBroker(server), {}))
            return brokers[-1]

        yield connect
        for broker in brokers:
            broker.close()
