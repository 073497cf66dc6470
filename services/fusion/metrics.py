"""What the fusion worker counts and times, for Prometheus."""

from datetime import UTC, datetime
from itertools import product
from typing import Final

from prometheus_client import Counter, Histogram

from shared.broker.port import Cause, Death
from shared.messages.score import ModalityScore
from shared.topology import TOPOLOGY

KEPT: Final = Counter("mien_scores_kept", "Scores that are in the store, by how they ended.", ["modality", "status"])
LAG: Final = Histogram(
    "mien_lag_seconds",
    "Seconds from capture to the score in the store.",
    ["modality"],
    buckets=(0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 30, 60, 300),
)
DEAD_LETTERS: Final = Counter("mien_dead_letters", "Dead letters, by where and why they died.", ["queue", "cause"])

_QUEUES: Final = frozenset(queue.name for queue in TOPOLOGY.queues)

# What Prometheus sees first of a series is no growth to it, and an alert would miss it: each begins at 0.
for _queue, _cause in product((*_QUEUES, "unknown"), (*Cause, "unknown")):
    DEAD_LETTERS.labels(_queue, _cause)


def count_kept(score: ModalityScore) -> None:
    """Count a score that is in the store now."""
    KEPT.labels(score.modality, score.status).inc()
    if score.captured_at is not None:
        LAG.labels(score.modality).observe(max(0.0, (datetime.now(UTC) - score.captured_at).total_seconds()))


def count_dead(death: Death | None) -> None:
    """Count a dead letter."""
    DEAD_LETTERS.labels(*place_of(death)).inc()


def place_of(death: Death | None) -> tuple[str, str]:
    """Return where and why a message died; a sender may have written any queue into it: such are not told apart."""
    if death is None:
        return "unknown", "unknown"
    return death.queue if death.queue in _QUEUES else "unknown", death.cause
