"""What the agent's command refuses before anybody is asked, and what it promises about a session that exists."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.cli.capture import CaptureRequest, _kept_for, capture
from services.cli.choice import SourceChoice
from shared.errors import BadInputError, SettingsError

REQUEST = CaptureRequest(
    choice=SourceChoice(file=Path("gone.mp4")),
    broker_url="amqp://127.0.0.1",
    api_url=None,
    session_id="session-0001",
    consent=False,
    purpose=None,
    retention_s=None,
    modalities=None,
)


@pytest.mark.parametrize("token", [None, ""])
def test_without_its_token_nothing_is_sent_into_a_session(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    monkeypatch.delenv("MIEN_SESSION_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("MIEN_SESSION_TOKEN", token)
    with pytest.raises(SettingsError, match="set MIEN_SESSION_TOKEN"):
        capture(REQUEST)


@pytest.mark.parametrize("session_id", ["", "short", "with a space in it", "x" * 65])
def test_what_cannot_be_the_id_of_a_session_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, session_id: str
) -> None:
    monkeypatch.setenv("MIEN_SESSION_TOKEN", "token")
    with pytest.raises(SettingsError, match="is not the id of a session"):
        capture(replace(REQUEST, session_id=session_id))


def test_a_session_that_exists_keeps_its_retention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_SESSION_TOKEN", "token")
    with pytest.raises(SettingsError, match="leave out --retention"):
        capture(replace(REQUEST, retention_s=3600))
    with pytest.raises(BadInputError, match=r"no file gone\.mp4"):
        capture(REQUEST)


def test_the_consent_screen_promises_a_duration_only_for_a_new_session() -> None:
    assert _kept_for(REQUEST) == "as the session was made with"
    assert _kept_for(replace(REQUEST, session_id=None)) == "24 h"
    assert _kept_for(replace(REQUEST, session_id=None, retention_s=1800)) == "0.5 h"
