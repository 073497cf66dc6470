"""What every broker promises, stated once; each adapter's test inherits it."""

from tests.contract.broker_consuming import ConsumingContract
from tests.contract.broker_dying import DeadLetterContract
from tests.contract.broker_publishing import PublishingContract


class BrokerContract(PublishingContract, ConsumingContract, DeadLetterContract):
    """All of it; an adapter gives the fixture ``connect``."""
