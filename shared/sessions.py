"""How a session begins, wherever it begins: what it may be for, its id, and its bearer token."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from shared import __version__
from shared.emotions import MODALITIES, Modality
from shared.errors import SettingsError
from shared.messages.base import SessionId
from shared.messages.session import DEFAULT_RETENTION_S, Purpose, SessionStarted
from shared.topology import FRAME_READERS, SPEECH_READERS
from shared.tracing import begin_trace

_SESSION_ID: Final[TypeAdapter[str]] = TypeAdapter(SessionId)

REFUSED_PURPOSES: Final[frozenset[Purpose]] = frozenset({"education", "workplace"})


def new_session(
    modalities: Sequence[Modality] = MODALITIES,
    purpose: Purpose = "personal",
    *,
    retention_s: int = DEFAULT_RETENTION_S,
    session_id: str | None = None,
    token: str | None = None,
    baseline: float | None = None,
) -> tuple[SessionStarted, str]:
    """Return the first message of a session, and the session's bearer token, whose hash alone travels.

    Args:
        modalities: What the person agreed to.
        purpose: What it is for.
        retention_s: Seconds after which everything about it is erased.
        session_id: The id of a session that exists already, or None for a new one.
        token: The token of that session, or None for a new one.
        baseline: The person's usual mood, where they agreed to be compared with it.
    """
    token = token or secrets.token_urlsafe(32)
    session_id = session_id or secrets.token_urlsafe(12)
    started = SessionStarted(
        traceparent=begin_trace(session_id),
        session_id=session_id,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        consent=True,
        purpose=purpose,
        retention_s=retention_s,
        modalities=tuple(modalities),
        agent_version=__version__,
        started_at=datetime.now(UTC),
        baseline=baseline,
    )
    return started, token


def check_session_id(session_id: str) -> None:
    """Check that something can be the id of a session.

    Raises:
        SettingsError: If it cannot.
    """
    try:
        _SESSION_ID.validate_python(session_id)
    except ValidationError:
        raise SettingsError(
            f"{session_id!r} is not the id of a session: 8 to 64 letters, digits, _ and -; "
            "give the session_id that POST /v1/sessions answered with."
        ) from None


def refusal_of(purpose: Purpose) -> str | None:
    """Say why a purpose is refused; None where it is not."""
    if purpose not in REFUSED_PURPOSES:
        return None
    return (
        f"Inferring emotions for {purpose} purposes is prohibited in the EU (AI Act, Art. 5(1)(f)); "
        "only a medical or safety reason, stated as the purpose, is an exception."
    )


def hears(modalities: Collection[Modality]) -> bool:
    """Return whether any of the modalities needs sound: what was not agreed to is not even decoded."""
    return not SPEECH_READERS.isdisjoint(modalities)


def sees(modalities: Collection[Modality]) -> bool:
    """Return whether any of the modalities needs pictures."""
    return not FRAME_READERS.isdisjoint(modalities)
