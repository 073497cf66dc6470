"""How the command begins a session."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from shared.emotions import Modality
from shared.messages.session import Purpose, SessionStarted


def new_session(
    modalities: Sequence[Modality],
    purpose: Purpose = "personal",
    session_id: str | None = None,
    token: str | None = None,
) -> tuple[SessionStarted, str]:
    """Return the first message of a session, and the session's bearer token, whose hash alone travels.

    Args:
        modalities: What the person agreed to.
        purpose: What it is for.
        session_id: The id of a session that exists already, or None for a new one.
        token: The token of that session, or None for a new one.
    """
    token = token or secrets.token_urlsafe(32)
    started = SessionStarted(
        session_id=session_id or secrets.token_urlsafe(12),
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        consent=True,
        purpose=purpose,
        modalities=tuple(modalities),
        agent_version=version("mien"),
        started_at=datetime.now(UTC),
    )
    return started, token


def hears(modalities: Sequence[Modality]) -> bool:
    """Return whether any of the modalities needs sound: what was not agreed to is not even decoded."""
    return Modality.TEXT in modalities or Modality.AUDIO in modalities


def sees(modalities: Sequence[Modality]) -> bool:
    """Return whether any of the modalities needs pictures."""
    return Modality.FACE in modalities
