"""``mien top``: queues, workers, rates and lag, live in the terminal."""

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from threading import Event
from typing import Final
from urllib.request import urlopen

import typer
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import MODALITIES
from shared.errors import BrokerError, MienError
from shared.settings import BrokerSettings
from shared.topology import MEDIA_QUEUES, TOPOLOGY

ANSWER_S: Final = 5.0

Buckets = dict[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What could be seen at one moment; counts are since the fusion process began.

    Attributes:
        at: Seconds, by a clock that only goes forward.
        fusion: Whether the fusion service answered.
        queues: Messages that wait and consumers, by queue.
        sessions: Sessions that go on, or None where fusion is away.
        kept: Scores in the store, by modality and status.
        lag: How many scores took at most so many seconds, by modality.
    """

    at: float
    fusion: bool = False
    queues: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    sessions: int | None = None
    kept: Mapping[tuple[str, str], float] = field(default_factory=dict)
    lag: Mapping[str, Buckets] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One queue between two looks.

    Attributes:
        queue: Its name.
        waiting: Messages that wait, or None where nobody could say.
        workers: Its consumers.
        per_s: Scores a second that reached the store; None for queues without scores of their own.
        failed_share: Share of them that failed.
        lag_p50_s: Seconds from capture to the store, median; None where nothing came.
        lag_p95_s: The 95th percentile.
    """

    queue: str
    waiting: int | None
    workers: int | None
    per_s: float | None = None
    failed_share: float | None = None
    lag_p50_s: float | None = None
    lag_p95_s: float | None = None


def watch(fusion_url: str, interval_s: float, *, once: bool, as_json: bool) -> None:
    """Look again and again, and show what changed, until interrupted.

    Args:
        fusion_url: Where the fusion service answers.
        interval_s: Seconds between two looks.
        once: Whether to end after one interval.
        as_json: Whether to print JSON objects, one a line.

    Raises:
        MienError: If neither the fusion service nor RabbitMQ can be asked.
    """
    with ExitStack() as stack:
        settings = BrokerSettings()
        broker: Broker | None = None
        if "url" in settings.model_fields_set:
            broker = RabbitMqBroker(settings.model_copy(update={"connect_timeout_s": ANSWER_S}))
            stack.callback(broker.close)
        pairs = _pairs(fusion_url, broker, interval_s)
        if as_json or once:
            for before, after in pairs:
                rows = rows_between(before, after)
                typer.echo(_as_json(after, rows)) if as_json else Console().print(table_of(after, rows))
                if once:
                    return
        live = stack.enter_context(Live(console=Console(), auto_refresh=False))
        try:
            for before, after in pairs:
                live.update(table_of(after, rows_between(before, after)), refresh=True)
        except KeyboardInterrupt:
            return


def look(fusion_url: str, broker: Broker | None) -> Look:
    """Ask the fusion service, or where it is away RabbitMQ.

    Raises:
        MienError: If neither can be asked.
    """
    try:
        with urlopen(f"{fusion_url.rstrip('/')}/metrics", timeout=ANSWER_S) as answer:  # noqa: S310  (the operator's own)
            return read_metrics(answer.read().decode(), time.monotonic())
    except (OSError, ValueError, HTTPException) as error:  # ValueError: what it names is no address, or no metrics
        if broker is None:
            raise MienError(
                f"Nothing answers at {fusion_url} ({error}); start the fusion service there, or name it with --fusion "
                "(http://host:port)."
            ) from None
    return Look(at=time.monotonic(), queues=dict(_ask(broker)))


def read_metrics(text: str, at: float) -> Look:
    """Return what the fusion service's metrics say.

    Args:
        text: Prometheus' text format.
        at: When they were read.
    """
    waiting: dict[str, int] = {}
    consumers: dict[str, int] = {}
    kept: dict[tuple[str, str], float] = {}
    lag: dict[str, Buckets] = defaultdict(dict)
    sessions = None
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            match name:
                case "mien_queue_messages":
                    waiting[labels["queue"]] = int(value)
                case "mien_queue_consumers":
                    consumers[labels["queue"]] = int(value)
                case "mien_scores_kept_total":
                    kept[labels["modality"], labels["status"]] = value
                case "mien_lag_seconds_bucket":
                    lag[labels["modality"]][float(labels["le"])] = value
                case "mien_sessions_live":
                    sessions = int(value)
    queues = {queue: (count, consumers.get(queue, 0)) for queue, count in waiting.items()}
    return Look(at=at, fusion=True, queues=queues, sessions=sessions, kept=kept, lag=lag)


def rows_between(before: Look, after: Look) -> list[Row]:
    """Return a row for each queue; counts that went back, for fusion began anew, are taken from nothing."""
    return [_row(queue.name, before, after) for queue in TOPOLOGY.queues]


def quantile(share: float, buckets: Buckets) -> float | None:
    """Return a quantile of a cumulative histogram, linear within a bucket, as Prometheus' ``histogram_quantile`` does.

    Args:
        share: 0..1.
        buckets: How many values are at most each bound; the last bound is infinite.

    Returns:
        None where there is no value; the highest finite bound where the quantile lies above it.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0
    if total <= 0:
        return None
    rank, low, below = share * total, 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank:
            if math.isinf(bound):
                return low
            inside = buckets[bound] - below
            return bound if inside <= 0 else low + (bound - low) * (rank - below) / inside
        low, below = bound, buckets[bound]
    return low


def table_of(after: Look, rows: list[Row]) -> Group:
    """Return what the terminal shows of a look."""
    table = Table(box=None)
    for title, justify in (("queue", "left"), *((name, "right") for name in (
        "waiting", "workers", "scores/s", "failed", "lag median", "lag 95 %",
    ))):  # fmt: skip
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(
            row.queue,
            _number(row.waiting, "{}"),
            Text("0", style="bold red") if row.workers == 0 and row.waiting else _number(row.workers, "{}"),
            _number(row.per_s, "{:.1f}"),
            _number(row.failed_share, "{:.1%}"),
            _number(row.lag_p50_s, "{:.2f} s"),
            _number(row.lag_p95_s, "{:.2f} s"),
        )
    sessions = "fusion does not answer" if not after.fusion else f"{_number(after.sessions, '{}')} sessions go on"
    return Group(Text(sessions, style="bold"), table)


def _pairs(fusion_url: str, broker: Broker | None, interval_s: float) -> Iterator[tuple[Look, Look]]:
    before, pause = look(fusion_url, broker), Event()
    while not pause.wait(interval_s):
        after = look(fusion_url, broker)
        yield before, after
        before = after


def _ask(broker: Broker) -> Iterator[tuple[str, tuple[int, int]]]:
    """Ask for every queue; what an account may not look at is left out."""
    for queue in TOPOLOGY.queues:
        try:
            yield queue.name, (broker.depth(queue.name), broker.consumers(queue.name))
        except BrokerError:
            if not broker.connected:
                raise


def _row(queue: str, before: Look, after: Look) -> Row:
    waiting, workers = after.queues.get(queue, (None, None))
    modality = next((modality for modality in MODALITIES if MEDIA_QUEUES[modality] == queue), None)
    if modality is None or not after.fusion:
        return Row(queue=queue, waiting=waiting, workers=workers)
    seconds = max(1e-3, after.at - before.at)
    gained = {
        status: _gain(before.kept.get((name, status), 0), count)
        for (name, status), count in after.kept.items()
        if name == modality
    }
    total = sum(gained.values())
    old = before.lag.get(modality, {})
    lag = {bound: _gain(old.get(bound, 0), count) for bound, count in after.lag.get(modality, {}).items()}
    return Row(
        queue=queue,
        waiting=waiting,
        workers=workers,
        per_s=total / seconds,
        failed_share=gained.get("failed", 0) / total if total else None,
        lag_p50_s=quantile(0.5, lag),
        lag_p95_s=quantile(0.95, lag),
    )


def _gain(before: float, after: float) -> float:
    return after - before if after >= before else after


def _as_json(after: Look, rows: list[Row]) -> str:
    return json.dumps({"fusion": after.fusion, "sessions": after.sessions, "queues": [asdict(row) for row in rows]})


def _number(value: float | None, form: str) -> Text:
    return Text("—", style="dim") if value is None else Text(form.format(value))
