"""What a message says to fusion: something to keep, or nothing that can be used. Pure."""

import contextlib
from typing import Final

from pydantic import ValidationError

from services.fusion.state import Loss, Outcome
from services.fusion.store.commands import Operation
from shared.broker.port import Cause, Death
from shared.emotions import Modality
from shared.errors import UndecodableMessageError
from shared.messages.base import Contract, Seq, SessionId
from shared.messages.message import Message
from shared.messages.score import ModalityScore
from shared.messages.session import SessionEnded, SessionForget, SessionStarted
from shared.topology import QUEUE_MODALITIES

_CONTRACTS: Final = {
    contract.TYPE: contract for contract in (SessionStarted, SessionEnded, SessionForget, ModalityScore)
}
_EXPIRED: Final = frozenset({Cause.EXPIRED, Cause.MAXLEN})


class _Place(Contract):
    """What names a chunk."""

    session_id: SessionId
    modality: Modality
    seq: Seq


def operation_of(message: Message) -> Operation:
    """Return what a message of the fusion queue says.

    Raises:
        UndecodableMessageError: If it is not ours or has a wrong field.
    """
    contract = _CONTRACTS.get(message.type)
    if contract is None:
        raise UndecodableMessageError(f"fusion has no use for a message of type {message.type!r}")
    return contract.from_message(message)


def operation_of_dead(message: Message, death: Death | None) -> Operation | None:
    """Return what a dead letter says: of a chunk, that it was not judged; of fusion's own messages, what they said.

    Returns:
        None where it cannot be told whose it was.
    """
    if death is None:
        return None
    modality = QUEUE_MODALITIES.get(death.queue)
    if modality is not None:
        return _loss(_place_of_chunk(message, modality), death)
    # Fusion's own message died of too many deliveries: Redis may have been away, and there is no reason to lose it.
    with contextlib.suppress(UndecodableMessageError):
        return operation_of(message)
    return _loss(_place_of_score(message), death)


def _loss(place: _Place | None, death: Death) -> Loss | None:
    if place is None:
        return None
    outcome = Outcome.EXPIRED if death.cause in _EXPIRED else Outcome.FAILED
    return Loss(
        session_id=place.session_id,
        modality=place.modality,
        seq=place.seq,
        cause=death.cause.value,
        outcome=outcome,
    )


def _place_of_chunk(message: Message, modality: Modality) -> _Place | None:
    fields = {"session_id": message.correlation_id, "modality": modality, "seq": message.headers.get("seq")}
    with contextlib.suppress(ValidationError):
        return _Place.model_validate(fields)
    return None


def _place_of_score(message: Message) -> _Place | None:
    if message.type != ModalityScore.TYPE:
        return None
    with contextlib.suppress(ValidationError):
        place = _Place.model_validate_json(message.body)
        return place if place.session_id == message.correlation_id else None
    return None
