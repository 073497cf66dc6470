"""How a contract becomes a message and back; each contract states only its fields."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import UndecodableMessageError
from shared.messages.message import TRACEPARENT, Message

SessionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
MAX_SECONDS: Final = 1e8
"""Three years: a time beyond is a mistake, and could not be counted in seconds from there on."""

Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
MAX_MEDIA_BYTES: Final = 2 * 2**20
"""More than half a minute of speech or a frame ever takes; what is larger is refused before it is decoded."""

MAX_JSON_BYTES: Final = 2**20

_MAX_TRACEPARENT: Final = 128

Seq = Annotated[int, Field(ge=0, le=2**53)]


class Contract(BaseModel):
    """A frozen pydantic model that refuses NaN and passes over fields of a newer sender."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=())


class WireContract(Contract, ABC):
    """A contract that travels as a message of its own.

    Attributes:
        TYPE: The AMQP ``type`` of the message.
        CONTENT_TYPE: The MIME type of its body.
        session_id: The session that it belongs to; travels as ``correlation_id``.
        traceparent: W3C trace context, or None.
    """

    TYPE: ClassVar[str]
    CONTENT_TYPE: ClassVar[str]

    session_id: SessionId
    traceparent: str | None = Field(default=None, max_length=_MAX_TRACEPARENT, exclude=True)

    def to_message(self, *, expiration_ms: int | None = None) -> Message:
        """Return the message that carries this contract."""
        body, headers = self._pack()
        if self.traceparent is not None:
            headers[TRACEPARENT] = self.traceparent
        return Message(
            type=self.TYPE,
            body=body,
            content_type=self.CONTENT_TYPE,
            message_id=str(uuid4()),
            correlation_id=self.session_id,
            timestamp=datetime.now(UTC).replace(microsecond=0),
            headers=headers,
            expiration_ms=expiration_ms,
        )

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Return the contract that a message carries.

        Raises:
            UndecodableMessageError: If the message is of another type or a field is missing or wrong.
        """
        if message.type != cls.TYPE or message.content_type != cls.CONTENT_TYPE:
            raise UndecodableMessageError(
                f"expected {cls.TYPE} ({cls.CONTENT_TYPE}), got {message.type!r} ({message.content_type!r})"
            )
        try:
            return cls._unpack(message)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, e["loc"])) or e["type"] for e in error.errors()}))
            raise UndecodableMessageError(f"{cls.TYPE} has missing or wrong fields: {fields}") from None

    @abstractmethod
    def _pack(self) -> tuple[bytes, dict[str, Any]]:
        """Return the body and the headers."""

    @classmethod
    @abstractmethod
    def _unpack(cls, message: Message) -> Self:
        """Return the contract in a message whose type is already checked."""


class JsonContract(WireContract):
    """A contract whose body is its own JSON."""

    CONTENT_TYPE: ClassVar[str] = "application/json"

    def _pack(self) -> tuple[bytes, dict[str, Any]]:
        return self.model_dump_json().encode(), {}

    @classmethod
    def _unpack(cls, message: Message) -> Self:
        if len(message.body) > MAX_JSON_BYTES:
            raise UndecodableMessageError(f"{cls.TYPE} is larger than {MAX_JSON_BYTES:,} bytes")
        contract = cls.model_validate_json(message.body)
        if contract.session_id != message.correlation_id:
            raise UndecodableMessageError(f"{cls.TYPE} names another session than its correlation_id")
        return contract.model_copy(update={TRACEPARENT: _trace_context(message)})


class MediaContract(WireContract):
    """A contract whose body is raw media and whose other fields are headers.

    Attributes:
        media: The encoded media.
    """

    media: bytes = Field(min_length=1, max_length=MAX_MEDIA_BYTES, exclude=True)

    def _pack(self) -> tuple[bytes, dict[str, Any]]:
        return self.media, self.model_dump(mode="json", exclude={"session_id"})

    @classmethod
    def _unpack(cls, message: Message) -> Self:
        fields = {**message.headers, "session_id": message.correlation_id, "media": message.body}
        return cls.model_validate({**fields, TRACEPARENT: _trace_context(message)})


def _trace_context(message: Message) -> str | None:
    """Return the trace context of a message; one that cannot be used is no reason to lose the message."""
    value = message.headers.get(TRACEPARENT)
    return value if isinstance(value, str) and len(value) <= _MAX_TRACEPARENT else None
