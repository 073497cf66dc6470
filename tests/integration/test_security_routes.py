"""Every route of the OpenAPI document, asked by everybody who might ask."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final

import fakeredis
import pytest
from fastapi.testclient import TestClient

from services.fusion.api import create_app
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from shared.broker.memory import MemoryBroker
from shared.errors import BadInputError
from shared.messages.session import SessionStarted
from shared.topology import TOPOLOGY
from tests.stores import memory_store

KEY: Final = "a-key-that-may-create"
WANTED: Final = {"consent": True, "purpose": "personal"}
REFUSED: Final = frozenset({401, 403, 404})
KEYS: Final = (hashlib.sha256(KEY.encode()).hexdigest(),)
LIMITLESS: Final = FusionSettings(fusion_rate=1e6, fusion_guess_rate=1e6, fusion_api_keys=KEYS)
OPERATIONS: Final = [
    (method, path, operation)
    for path, methods in create_app(memory_store(), LIMITLESS).openapi()["paths"].items()
    for method, operation in methods.items()
]
OF_A_SESSION: Final = [each for each in OPERATIONS if "{session_id}" in each[1]]
WITH_A_KEY: Final = [each for each in OPERATIONS if each[2].get("security") == [{"API key": []}]]
OPEN: Final = {"/healthz", "/readyz", "/metrics"}
ROLES: Final = ("nobody", "wrong key", "create key", "wrong token", "another's token", "ended", "erased", "own")

Asked = tuple[str, str, dict[str, Any]]


class Recorder(fakeredis.FakeRedis):
    """Redis that notes what it is asked, without the names."""

    asked: list[str]

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if hasattr(self, "asked"):
            self.asked.append(str(args[0]))
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


class NoMedia:
    """Takes no recording."""

    def recording(self, _started: SessionStarted, _media: bytes, _on_progress: object) -> Any:
        raise BadInputError("That is not a media file that can be read; give mp4.")

    def live(self, _started: SessionStarted) -> Any:
        raise BadInputError("That is not a microphone.")


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder(decode_responses=True)


@pytest.fixture(scope="module")
def client(recorder: Recorder) -> Iterator[TestClient]:
    broker = MemoryBroker()
    broker.declare(TOPOLOGY)
    app = create_app(SessionStore(recorder), LIMITLESS, broker=broker, ingest=NoMedia())
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
    broker.close()


def create(client: TestClient) -> dict[str, Any]:
    created: dict[str, Any] = client.post("/v1/sessions", json=WANTED, headers={"X-API-Key": KEY}).json()
    return created


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def asked_by(client: TestClient, role: str) -> tuple[str, dict[str, str]]:
    """Return the id of a session that goes on, has ended or is erased, and what somebody in a role sends."""
    session, other = create(client), create(client)
    if role in {"ended", "own"}:
        # Where a session goes on, its events have no end.
        assert client.post(f"/v1/sessions/{session['session_id']}/end", headers=bearer(session["token"])).is_success
    if role == "erased":
        assert client.delete(f"/v1/sessions/{session['session_id']}", headers=bearer(session["token"])).is_success
    headers = {
        "nobody": {},
        "wrong key": {"X-API-Key": "guess"},
        "create key": {"X-API-Key": KEY},
        "wrong token": bearer("guess"),
        "another's token": bearer(other["token"]),
    }
    return session["session_id"], headers.get(role, bearer(session["token"]))


def ask(client: TestClient, asked: Asked, session_id: str, headers: dict[str, str]) -> Any:
    method, path, operation = asked
    takes_json = "application/json" in operation.get("requestBody", {}).get("content", {})
    return client.request(method, path.format(session_id=session_id), headers=headers, json={} if takes_json else None)


def test_every_route_is_open_or_needs_a_key_or_a_token() -> None:
    assert {path for _, path, _ in OPERATIONS} == OPEN | {path for _, path, _ in OF_A_SESSION + WITH_A_KEY}
    assert all(operation["security"] == [{"session token": []}] for _, _, operation in OF_A_SESSION)


def name(asked: Any) -> str:
    return f"{asked[0]} {asked[1]}" if isinstance(asked, tuple) else str(asked)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("asked", OF_A_SESSION, ids=name)
def test_a_session_opens_to_its_own_token_alone(client: TestClient, asked: Asked, role: str) -> None:
    session_id, headers = asked_by(client, role)
    status = ask(client, asked, session_id, headers).status_code
    if role in {"own", "ended"}:
        assert status not in REFUSED
    else:
        assert status == (401 if role in {"nobody", "wrong key", "create key"} else 404)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("asked", WITH_A_KEY, ids=name)
def test_sessions_are_created_and_listed_with_a_key_alone(client: TestClient, asked: Asked, role: str) -> None:
    _, headers = asked_by(client, role)
    status = ask(client, asked, "", headers).status_code
    assert (status not in REFUSED) if role == "create key" else (status == 401)


@pytest.mark.parametrize("path", sorted(OPEN))
def test_what_is_open_tells_nothing_of_any_session(client: TestClient, path: str) -> None:
    session = create(client)
    answer = client.get(path)
    assert answer.status_code == 200
    assert not re.search(f"{re.escape(session['session_id'])}|{re.escape(session['token'])}", answer.text)


@pytest.mark.parametrize("there", ["goes on", "ended", "erased"])
@pytest.mark.parametrize("asked", OF_A_SESSION, ids=name)
def test_a_guess_learns_nothing_from_the_answer_nor_from_the_work_done_for_it(
    client: TestClient, recorder: Recorder, asked: Asked, there: str
) -> None:
    session_id, _ = asked_by(client, there)
    found = []
    for guessed in (session_id, "no-such-session-"):
        recorder.asked = []
        answer = ask(client, asked, guessed, bearer("guess"))
        headers = {name: value for name, value in answer.headers.items() if name != "traceparent"}
        found.append((answer.status_code, answer.content, headers, recorder.asked))
    assert found[0] == found[1]
    assert found[0][0] == 404
    assert "HGET" in found[0][3], "the store was asked for the token"


@pytest.mark.parametrize("there", ["goes on", "ended", "erased"])
def test_a_guess_at_a_live_session_learns_nothing(client: TestClient, there: str) -> None:
    session_id, _ = asked_by(client, there)
    found = []
    for guessed in (session_id, "no-such-session-"):
        with client.websocket_connect(f"/v1/sessions/{guessed}/live") as socket:
            socket.send_json({"token": "guess"})
            found.append(socket.receive_json())
    assert found[0] == found[1]
    assert "no such session" in found[0]["error"]
