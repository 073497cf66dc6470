"""What every part of the broker contract stands on."""

from collections.abc import Callable

import pytest

from shared.broker.port import Broker
from tests.broker_house import House


class BrokerTest:
    """The fixtures; an adapter gives ``connect``."""

    @pytest.fixture
    def connect(self) -> Callable[[], Broker]:
        """A function that makes another connection to the same server; the fixture closes them all."""
        raise NotImplementedError

    @pytest.fixture
    def broker(self, connect: Callable[[], Broker]) -> Broker:
        return connect()

    @pytest.fixture
    def house(self) -> House:
        return House()
