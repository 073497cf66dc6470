"""Exchanges, queues and bindings: the one place that says how messages find their way."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.emotions import Modality
from shared.messages.frame import FrameChunk
from shared.messages.score import ModalityScore
from shared.messages.speech import SpeechChunk
from shared.messages.typed import TypedText

MEDIA_EXCHANGE: Final = "mien.media"
SCORES_EXCHANGE: Final = "mien.scores"
RETRY_EXCHANGE: Final = "mien.retry"
DEAD_EXCHANGE: Final = "mien.dlx"

FUSION_QUEUE: Final = "mien.fusion"
DEAD_QUEUE: Final = "mien.dead"
MEDIA_QUEUES: Final[dict[Modality, str]] = {modality: f"mien.{modality}" for modality in Modality}
RETRY_QUEUES: Final[dict[Modality, str]] = {modality: f"mien.{modality}.retry" for modality in Modality}
"""Where what came back from a worker waits to be judged alone: what kills its worker takes no other message with it."""

RETRY_KEYS: Final[dict[Modality, str]] = {modality: f"retry.{modality}" for modality in Modality}
QUEUE_MODALITIES: Final[dict[str, Modality]] = {
    queue: modality for queues in (MEDIA_QUEUES, RETRY_QUEUES) for modality, queue in queues.items()
}

SPEECH_KEYS: Final[dict[frozenset[Modality], str]] = {
    frozenset({Modality.TEXT, Modality.AUDIO}): SpeechChunk.TYPE,
    frozenset({Modality.TEXT}): "speech.text",
    frozenset({Modality.AUDIO}): "speech.audio",
}
"""Routing key of a speech chunk by the speech modalities that the person agreed to."""

DELIVERY_LIMIT: Final = 3
"""How often a message that keeps killing its worker comes again before it is dead-lettered."""

MAX_LIVE_FRAMES: Final = 2_000
"""Frames that may wait; past it the oldest is dropped and counted."""

LIVE_FRAME_EXPIRATION_MS: Final = 3_000
"""Milliseconds after which a live frame is no longer worth scoring; a recording's frames do not expire."""

DEAD_LETTER_TTL_MS: Final = 24 * 3600 * 1000


class QueueKind(StrEnum):
    """What a queue promises."""

    QUORUM = "quorum"
    CLASSIC = "classic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A queue takes what an exchange gets under a topic pattern."""

    exchange: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A durable queue.

    Attributes:
        name: Its name.
        bindings: What it takes.
        kind: Quorum queues lose nothing; a classic queue may be bounded and drop.
        dead_letter_exchange: Where its dead letters go, or None.
        delivery_limit: How often a message comes again before it is dead-lettered (quorum only), or None.
        max_length: Messages past which the oldest is dead-lettered, or None.
        message_ttl_ms: Milliseconds after which a message is dead-lettered, or None.
    """

    name: str
    bindings: tuple[Binding, ...]
    kind: QueueKind = QueueKind.QUORUM
    dead_letter_exchange: str | None = DEAD_EXCHANGE
    delivery_limit: int | None = None
    max_length: int | None = None
    message_ttl_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Every exchange (durable, topic) and queue of the system."""

    exchanges: tuple[str, ...]
    queues: tuple[Queue, ...]


def _retry_queue(modality: Modality) -> Queue:
    binding = Binding(exchange=RETRY_EXCHANGE, pattern=RETRY_KEYS[modality])
    return Queue(name=RETRY_QUEUES[modality], bindings=(binding,), delivery_limit=DELIVERY_LIMIT)


def _speech_queue(modality: Modality) -> Queue:
    keys = sorted(key for modalities, key in SPEECH_KEYS.items() if modality in modalities)
    if modality is Modality.TEXT:
        keys.append(TypedText.TYPE)
    bindings = tuple(Binding(exchange=MEDIA_EXCHANGE, pattern=key) for key in keys)
    return Queue(name=MEDIA_QUEUES[modality], bindings=bindings, delivery_limit=DELIVERY_LIMIT)


TOPOLOGY: Final = Topology(
    exchanges=(MEDIA_EXCHANGE, SCORES_EXCHANGE, RETRY_EXCHANGE, DEAD_EXCHANGE),
    queues=(
        _speech_queue(Modality.TEXT),
        _speech_queue(Modality.AUDIO),
        Queue(
            name=MEDIA_QUEUES[Modality.FACE],
            bindings=(Binding(exchange=MEDIA_EXCHANGE, pattern=FrameChunk.TYPE),),
            kind=QueueKind.CLASSIC,
            max_length=MAX_LIVE_FRAMES,
        ),
        *map(_retry_queue, Modality),
        Queue(
            name=FUSION_QUEUE,
            bindings=(
                Binding(exchange=MEDIA_EXCHANGE, pattern="session.#"),
                # What an agent has scored itself: its account may write to the media exchange alone.
                Binding(exchange=MEDIA_EXCHANGE, pattern=f"{ModalityScore.TYPE}.#"),
                Binding(exchange=SCORES_EXCHANGE, pattern=f"{ModalityScore.TYPE}.#"),
            ),
            delivery_limit=DELIVERY_LIMIT,
        ),
        Queue(
            name=DEAD_QUEUE,
            bindings=(Binding(exchange=DEAD_EXCHANGE, pattern="#"),),
            dead_letter_exchange=None,
            message_ttl_ms=DEAD_LETTER_TTL_MS,
        ),
    ),
)


def readers_of(routing_key: str) -> frozenset[Modality]:
    """Return the modalities whose queues take what the media exchange gets under a routing key."""
    taken = Binding(exchange=MEDIA_EXCHANGE, pattern=routing_key)
    queues = (queue for queue in TOPOLOGY.queues if taken in queue.bindings)
    return frozenset(QUEUE_MODALITIES[queue.name] for queue in queues if queue.name in QUEUE_MODALITIES)


SPEECH_READERS: Final = readers_of(SpeechChunk.TYPE)
FRAME_READERS: Final = readers_of(FrameChunk.TYPE)
