"""What the HTTP API refuses because it comes too often or is too large, over a store in memory."""

import hashlib
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from services.fusion.api import create_app
from services.fusion.api.server import Server
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from shared.sessions import new_session

PROBLEM = "application/problem+json"


def create(client: TestClient) -> tuple[str, dict[str, str]]:
    body = client.post("/v1/sessions", json={"consent": True, "purpose": "personal"}).json()
    return f"/v1/sessions/{body['session_id']}", {"Authorization": f"Bearer {body['token']}"}


def test_too_many_requests_are_told_to_wait(store: SessionStore) -> None:
    processes = [TestClient(create_app(store, FusionSettings(fusion_rate=0.5))) for _ in range(2)]
    client = processes[0]
    answers = [process.get("/v1/sessions") for process in processes]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[-1].headers["content-type"] == PROBLEM
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert client.get("/healthz").status_code == 200


def test_guessing_tokens_stops_soon_however_many_there_are(store: SessionStore) -> None:
    client = TestClient(create_app(store, FusionSettings(fusion_guess_rate=0.5)))
    session, _ = create(client)
    statuses = [client.get(session, headers={"Authorization": f"Bearer {n}"}).status_code for n in range(8)]
    assert statuses[0] == 404
    assert statuses[-1] == 429


def test_who_was_right_before_does_not_wait_for_those_who_guess_beside_them(store: SessionStore) -> None:
    client = TestClient(create_app(store, FusionSettings(fusion_guess_rate=0.5)))
    session, token = create(client)
    assert all(client.get("/nothing").status_code == 404 for _ in range(8)), "no credential is no guess"
    assert client.get(session, headers=token).status_code == 200
    for n in range(8):
        refused = client.get(session, headers={"Authorization": f"Bearer {n}"})
    assert refused.status_code == 429
    assert client.get(session, headers=token).status_code == 200


def test_a_new_credential_each_time_is_no_new_bucket_each_time(store: SessionStore) -> None:
    client = TestClient(create_app(store, FusionSettings(fusion_rate=0.5, fusion_guess_rate=1000)))
    statuses = [client.get("/v1/sessions", headers={"X-API-Key": str(n)}).status_code for n in range(4)]
    assert statuses == [200, 429, 429, 429]


def test_a_right_token_does_not_cover_for_guesses_of_a_key(store: SessionStore) -> None:
    keys = (hashlib.sha256(b"right").hexdigest(),)
    client = TestClient(create_app(store, FusionSettings(fusion_api_keys=keys, fusion_guess_rate=0.5)))
    started, token = new_session()
    store.start(started)
    right = {"Authorization": f"Bearer {token}"}
    assert client.get(f"/v1/sessions/{started.session_id}", headers=right).status_code == 200
    statuses = [client.get("/v1/sessions", headers={**right, "X-API-Key": str(n)}).status_code for n in range(8)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_a_right_key_gives_nothing_beside_it_a_bucket(store: SessionStore) -> None:
    keys = (hashlib.sha256(b"right").hexdigest(),)
    client = TestClient(create_app(store, FusionSettings(fusion_api_keys=keys, fusion_rate=0.5)))
    statuses = [
        client.get("/v1/sessions", headers={"X-API-Key": "right", "Authorization": each}).status_code
        for each in ("made up", "made up", "another")
    ]
    assert statuses == [200, 429, 429]


def test_however_its_scheme_is_written_a_token_has_one_bucket(store: SessionStore) -> None:
    client = TestClient(create_app(store, FusionSettings(fusion_rate=0.5, fusion_guess_rate=1000)))
    started, token = new_session()
    store.start(started)
    path = f"/v1/sessions/{started.session_id}"
    statuses = [
        client.get(path, headers={"Authorization": f"{scheme} {token}"}).status_code
        for scheme in ("Bearer", "Bearer", "bearer", "BEARER")
    ]
    # One of its address, while it is new, and one of its own.
    assert statuses == [200, 200, 429, 429]


def test_the_lowest_rates_let_the_first_one_in(store: SessionStore) -> None:
    client = TestClient(create_app(store, FusionSettings(fusion_rate=0.01, fusion_guess_rate=0.01)))
    started, token = new_session()
    store.start(started)
    answer = client.get(f"/v1/sessions/{started.session_id}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_tokens_cannot_be_guessed_over_sockets(store: SessionStore) -> None:
    client = TestClient(create_app(store, FusionSettings(fusion_guess_rate=0.5)))
    session, _ = create(client)
    for _ in range(5):
        with client.websocket_connect(f"{session}/live") as socket:
            socket.send_json({"token": "guess"})
            assert "no such session" in socket.receive_json()["error"]
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"{session}/live"):
        pass


def test_a_trusted_proxy_says_whom_the_limits_are_about(store: SessionStore) -> None:
    settings = FusionSettings.model_validate({"fusion_rate": 0.5, "fusion_trusted_proxies": "10.0.0.0/8, 192.168.0.1"})
    config = Server(create_app(store, settings)).config
    config.load()

    def statuses(proxy: str, *people: str) -> list[int]:
        client = TestClient(config.loaded_app, client=(proxy, 1))
        return [client.get("/v1/sessions", headers={"X-Forwarded-For": person}).status_code for person in people]

    assert statuses("10.1.2.3", "203.0.113.1", "203.0.113.2", "203.0.113.1") == [200, 200, 429]
    assert statuses("192.0.2.1", "203.0.113.3", "203.0.113.4") == [200, 429], "anybody may claim to be a proxy"


@pytest.mark.parametrize("stated", [True, False], ids=["with its length", "in chunks"])
def test_a_body_that_is_too_large_is_refused(store: SessionStore, stated: bool) -> None:
    client = TestClient(create_app(store, FusionSettings()))
    session, token = create(client)
    body = b'{"text": "' + b"a" * 70_000 + b'"}'
    content: Any = body if stated else iter([body[:40_000], body[40_000:]])
    headers = {**token, "Content-Type": "application/json"}
    answer = client.post(f"{session}/text", content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
