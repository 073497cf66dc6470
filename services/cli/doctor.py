"""``mien doctor``: what Mien needs on this machine, whether it is there, and what to mend."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from importlib import import_module
from operator import itemgetter
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen
from uuid import uuid4

import redis

from services.capture.devices import list_devices, missing_support
from services.cli.findings import Finding, State
from services.fusion.settings import FusionSettings
from services.fusion.store.client import connect
from shared.broker.rabbitmq import RabbitMqBroker
from shared.broker.rabbitmq.accounts import PROBE_KEY, ROLES, Role
from shared.emotions import MODALITIES, Modality
from shared.errors import BrokerError, MienError, UnroutableError
from shared.messages.message import Message
from shared.settings import BrokerSettings
from shared.topology import TOPOLOGY

MANY_WAIT: Final = 200
ANSWER_S: Final = 5.0
CLOCK_WARNING_S: Final = 0.5
CLOCK_FAILURE_S: Final = 5.0
CLOCK_LOOKS: Final = 5


def examine(*, fusion_url: str | None, with_models: bool) -> list[Finding]:
    """Look at everything.

    Args:
        fusion_url: Where the fusion service answers; None leaves it out.
        with_models: Whether to load every model and let it answer once.
    """
    looks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("broker", _broker),
        ("Redis", _redis),
        ("fusion", lambda: _fusion(fusion_url)),
        ("devices", _devices),
    ]
    if with_models:
        looks += [(f"model {modality}", lambda modality=modality: _model(modality)) for modality in MODALITIES]  # type: ignore[misc]
    return [finding for subject, look in looks for finding in _guarded(subject, look)]


def _guarded(subject: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except MienError as error:
        yield Finding(subject, State.FAILED, str(error))


def _broker() -> Iterator[Finding]:
    settings = BrokerSettings()
    if "url" not in settings.model_fields_set:
        yield Finding("broker", State.SKIPPED, "AMQP_URL is not set; nothing here needs a broker.")
        return
    parts = urlsplit(settings.url.get_secret_value())
    account = unquote(parts.username or "guest")
    # whose account this is may have no right to declare, and a look leaves nothing behind
    broker = RabbitMqBroker(settings.model_copy(update={"connect_timeout_s": ANSWER_S, "declare": False}))
    try:
        broker.declare(TOPOLOGY)
        state, way = (
            (State.GOOD, "encrypted") if parts.scheme == "amqps" else (State.WARNING, "NOT encrypted: use amqps://")
        )
        if parts.hostname in {"127.0.0.1", "::1", "localhost"}:
            state, way = State.GOOD, "on this machine"
        yield Finding("broker", state, f"RabbitMQ lets {account} in at {parts.hostname} ({way}).")
        role = next((role for role in ROLES if role.account == account), None)
        yield from _rights(broker, account, role)
        queues = [queue.name for queue in TOPOLOGY.queues]
        for queue in queues if role is None else (*role.consumes, *role.looks_at):
            yield _queue(broker, queue)
    finally:
        broker.close()


def _rights(broker: RabbitMqBroker, account: str, role: Role | None) -> Iterator[Finding]:
    """Publish under a key that no queue takes: whether that is refused shows the right, and reaches nobody."""
    may = {exchange for exchange in TOPOLOGY.exchanges if _may_publish(broker, exchange)}
    if role is None:
        state = State.WARNING if len(may) > 1 else State.GOOD
        advice = "; give each service its own account (deploy/rabbitmq)" if len(may) > 1 else ""
        yield Finding("rights", state, f"{account} may publish to {', '.join(sorted(may)) or 'nothing'}{advice}.")
        return
    wanted = set(role.publishes)
    if missing := wanted - may:
        sentence = (
            f"{account} may not publish to {', '.join(sorted(missing))}; load deploy/rabbitmq's definitions again."
        )
        yield Finding("rights", State.FAILED, sentence)
    elif more := may - wanted:
        sentence = (
            f"{account} may also publish to {', '.join(sorted(more))}, which it does not need; take that right away."
        )
        yield Finding("rights", State.WARNING, sentence)
    else:
        yield Finding(
            "rights", State.GOOD, f"{account} may publish to {', '.join(sorted(may)) or 'nothing'}, as it should."
        )


def _may_publish(broker: RabbitMqBroker, exchange: str) -> bool:
    probe = Message(
        type=PROBE_KEY,
        body=b"",
        content_type="text/plain",
        message_id=str(uuid4()),
        correlation_id="doctor",
        timestamp=datetime.now(UTC),
    )
    try:
        broker.publish(exchange, PROBE_KEY, probe).result(ANSWER_S)
    except UnroutableError:
        return True
    except BrokerError:
        return False
    return True


def _queue(broker: RabbitMqBroker, name: str) -> Finding:
    try:
        waiting, consumers = broker.depth(name), broker.consumers(name)
    except BrokerError as error:
        return Finding(f"queue {name}", State.FAILED, f"{error}; start a worker or load deploy/rabbitmq's definitions.")
    if waiting and not consumers:
        return Finding(f"queue {name}", State.FAILED, f"{waiting} messages wait and nobody takes them; start a worker.")
    if waiting > MANY_WAIT:
        return Finding(f"queue {name}", State.WARNING, f"{waiting} wait for {consumers} consumers; start more of them.")
    state = State.GOOD if consumers else State.WARNING
    return Finding(
        f"queue {name}", state, f"{waiting} wait, {consumers} consumers{'' if consumers else '; start one'}."
    )


def _redis() -> Iterator[Finding]:
    settings = FusionSettings()
    if "redis_url" not in settings.model_fields_set:
        yield Finding("Redis", State.SKIPPED, "REDIS_URL is not set; only fusion needs it.")
        return
    url = settings.redis_url.get_secret_value()
    place = urlsplit(url).hostname or urlsplit(url).path
    client: Any = connect(url, settings.redis_ca_file)
    try:
        client.set("mien:doctor", 1, px=1000)
        skew_s, unsure_s = min((_compare(client) for _ in range(CLOCK_LOOKS)), key=itemgetter(1))
        told = client.info()
    except redis.RedisError as error:
        yield Finding(
            "Redis", State.FAILED, f"Redis at {place} takes nothing ({error}); start it, or correct REDIS_URL."
        )
        return
    finally:
        client.close()
    yield Finding("Redis", State.GOOD, f"Redis {told['redis_version']} at {place} takes writes.")
    yield from _durability(told)
    yield _clock("clock against Redis", skew_s, unsure_s)


def _compare(client: Any) -> tuple[float, float]:  # noqa: ANN401  (redis types its answers for both of its clients)
    """Return by how many seconds Redis' clock is ahead, and by how many that may be wrong: half of there and back."""
    begun = time.time()
    seconds, microseconds = client.time()
    ended = time.time()
    return seconds + microseconds / 1e6 - (begun + ended) / 2, (ended - begun) / 2


def _durability(told: dict[str, Any]) -> Iterator[Finding]:
    kept = told.get("aof_enabled") == 1 and told.get("aof_last_write_status") == "ok"
    yield Finding(
        "Redis file",
        State.GOOD if kept else State.WARNING,
        "It writes an append-only file." if kept else "A restart would lose every session; set `appendonly yes`.",
    )
    policy = told.get("maxmemory_policy")
    yield Finding(
        "Redis memory",
        State.GOOD if policy == "noeviction" else State.FAILED,
        f"{told['used_memory_human']} used, {policy}."
        if policy == "noeviction"
        else f"It evicts sessions when memory is short ({policy}); set `maxmemory-policy noeviction`.",
    )


def _fusion(url: str | None) -> Iterator[Finding]:
    if url is None:
        yield Finding("fusion", State.SKIPPED, "Name it with --fusion to ask it too.")
        return
    begun = time.time()
    try:
        with urlopen(f"{url.rstrip('/')}/readyz", timeout=ANSWER_S) as answer:  # noqa: S310  (the operator's own URL)
            date = answer.headers["Date"]
    except HTTPError as error:
        yield Finding("fusion", State.FAILED, f"It is not ready: {_why(error)}")
        return
    except (OSError, ValueError, HTTPException) as error:
        yield Finding("fusion", State.FAILED, f"Nothing answers at {url} ({error}); start it, or correct FUSION_URL.")
        return
    yield Finding("fusion", State.GOOD, f"It is ready at {url}.")
    ended = time.time()
    if not date:  # a proxy may have taken it off
        return
    # The header has whole seconds, cut off, and the server writes it anew once a second.
    skew_s = parsedate_to_datetime(date).timestamp() + 1 - (begun + ended) / 2
    yield _clock("clock against fusion", skew_s, 1 + (ended - begun) / 2)


def _why(error: HTTPError) -> str:
    """Return what the service says itself, or the error where somebody before it answers, such as a proxy."""
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def _clock(subject: str, skew_s: float, unsure_s: float) -> Finding:
    sure_s = max(0.0, abs(skew_s) - unsure_s)
    if sure_s < CLOCK_WARNING_S:
        return Finding(subject, State.GOOD, f"They agree within {max(0.01, abs(skew_s), unsure_s):.2f} s.")
    state = State.FAILED if sure_s > CLOCK_FAILURE_S else State.WARNING
    return Finding(
        subject, state, f"They differ by {skew_s:+.1f} s, so lag is wrong by that; synchronise both with NTP."
    )


def _model(modality: Modality) -> Iterator[Finding]:
    subject = f"model {modality}"
    try:
        worker = import_module(f"services.{modality}.worker")
    except ImportError as error:
        yield Finding(
            subject, State.SKIPPED, f"It is not installed here ({error.name}); install mien[{modality}] for it."
        )
        return
    begun = time.perf_counter()
    scorer = worker.load_scorer()
    scorer.warm_up()
    model, took_s = scorer.model, time.perf_counter() - begun
    yield Finding(
        subject, State.GOOD, f"{model.name} {model.version} is unaltered, loads and answers in {took_s:.1f} s."
    )


def _devices() -> Iterator[Finding]:
    missing = missing_support()
    if missing is not None:
        yield Finding("devices", State.WARNING, missing)
    devices = list_devices()
    for kind in ("microphone", "camera"):
        names = [device.name for device in devices if device.kind == kind]
        if names:
            yield Finding(f"{kind}s", State.GOOD, ", ".join(names))
        elif missing is None or kind == "camera":
            yield Finding(f"{kind}s", State.WARNING, "There is none; plug one in where `mien capture` shall use it.")
