"""What every service counts and times, for Prometheus: ids and words never, only how many and how long."""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

QUEUE_WAIT: Final = Histogram(
    "mien_queue_wait_seconds", "Seconds between capture and the start of the work.", ["modality"], buckets=_SECONDS
)
COMPUTE: Final = Histogram(
    "mien_compute_seconds",
    "Seconds of work for one message, its share of a micro-batch.",
    ["modality"],
    buckets=_SECONDS,
)
BATCH_SIZE: Final = Histogram(
    "mien_batch_size", "Messages judged together.", ["modality"], buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
SCORES: Final = Counter("mien_scores", "Judgements by how they ended.", ["modality", "status"])
CONFIRMS: Final = Counter("mien_publish_confirms", "Scores that the broker took or did not take.", ["outcome"])
RECONNECTS: Final = Counter("mien_broker_reconnects", "Times that the connection to the broker came back.")

# What Prometheus sees first of a series is no growth to it, and an alert would miss it: each begins at 0.
for _outcome in ("confirmed", "refused"):
    CONFIRMS.labels(_outcome)


def exposition() -> bytes:
    """Return everything that is counted in this process, in Prometheus' text format."""
    return generate_latest()
