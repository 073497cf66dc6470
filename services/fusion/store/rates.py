"""How often somebody asks, counted in one place for all processes of the API."""

from dataclasses import dataclass
from typing import Final

from services.fusion.store.commands import Command
from services.fusion.store.scripts import Scripts

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
        scripts: The store's scripts.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def wait_s(self, taken: Bucket, looked_at: Bucket | None = None) -> float:
        """Take a token out of one bucket and none out of another, where one is named, in one round trip.

        Returns:
            Seconds until there is a token in both; 0 where there is now.
        """
        commands = [_take(taken, 1), *([] if looked_at is None else [_take(looked_at, 0)])]
        return max(map(float, self._scripts.run(commands)))

    def take(self, bucket: Bucket) -> None:
        """Take a token, where there is one."""
        self._scripts.run([_take(bucket, 1)])


def _take(bucket: Bucket, count: int) -> Command:
    names = [f"{_BUCKET}:{bucket.name}"]
    return Command(script="take.lua", keys=names, arguments=[bucket.rate, bucket.full, count])
