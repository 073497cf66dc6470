"""How often somebody asks, counted in one place for all processes of the API."""

from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.commands.core import Script

_BUCKET: Final = "mien:rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A token bucket.

    Attributes:
        name: Whose it is; it expires by itself once it is full again.
        rate: Tokens that come back a second.
        full: Tokens that it holds at most.
    """

    name: str
    rate: float
    full: float


class Rates:
    """Token buckets in Redis; safe to use from several threads.

    Args:
        client: A client with ``decode_responses=True``.
        take: The script that takes tokens.
    """

    def __init__(self, client: "redis.Redis", take: Script) -> None:
        self._redis: Any = client
        self._take = take

    def wait_s(self, taken: Bucket, looked_at: Bucket) -> float:
        """Take a token out of one bucket and none out of another, in one round trip.

        Returns:
            Seconds until there is a token in both; 0 where there is now.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for bucket, count in ((taken, 1), (looked_at, 0)):
            self._ask(bucket, count, pipeline)
        return max(float(seconds) for seconds in pipeline.execute())

    def take(self, bucket: Bucket) -> None:
        """Take a token, where there is one."""
        self._ask(bucket, 1, self._redis)

    def _ask(self, bucket: Bucket, count: int, client: "redis.Redis") -> None:
        self._take(keys=[f"{_BUCKET}:{bucket.name}"], args=[bucket.rate, bucket.full, count], client=client)
