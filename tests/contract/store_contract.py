"""What a session store promises, of a Redis server and of ``fakeredis`` alike."""

from tests.contract.store_counting import CountingContract
from tests.contract.store_following import FollowingContract
from tests.contract.store_forgetting import ForgettingContract


class SessionStoreContract(CountingContract, ForgettingContract, FollowingContract):
    """All of it; a server gives its clients."""
