"""The HTTP API over a store in memory."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import fakeredis
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from services.fusion.api import create_app
from services.fusion.results import build_result
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from shared.emotions import EMOTIONS, Emotion, Modality, as_mapping, mood_of
from shared.messages.details import FaceDetails, TextDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded

WANTED: dict[str, Any] = {"consent": True, "purpose": "personal", "modalities": ["text", "face"]}
PROBLEM = "application/problem+json"


@pytest.fixture
def app(store: SessionStore) -> FastAPI:
    return create_app(store, FusionSettings())


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def created(client: TestClient) -> dict[str, Any]:
    answer = client.post("/v1/sessions", json=WANTED)
    assert answer.status_code == 201
    body: dict[str, Any] = answer.json()
    return body


def bearer(created: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {created['token']}"}


def path(created: dict[str, Any], rest: str = "") -> str:
    return f"/v1/sessions/{created['session_id']}{rest}"


def fill(store: SessionStore, session_id: str) -> None:
    """Twenty frames of a happy face, two abstained, and two spoken sentences."""
    happy = [0.7 if emotion is Emotion.JOY else 0.05 for emotion in EMOTIONS]
    calm = [0.7 if emotion is Emotion.NEUTRAL else 0.05 for emotion in EMOTIONS]
    judged = {"status": Status.SCORED, "confidence": 0.7, "quality": 0.8}
    model = ModelRef(name="mien-model", version="1")
    for seq in range(20):
        away = {"status": Status.ABSTAINED, "reason": "face_turned_away"}
        scored = {**judged, "mood": float(mood_of(happy)), "distribution": as_mapping(happy)}
        store.add(
            ModalityScore(
                session_id=session_id,
                modality=Modality.FACE,
                seq=seq,
                start_s=seq / 5,
                end_s=seq / 5,
                details=FaceDetails(),
                model=model,
                **(away if seq in (3, 4) else scored),
            )
        )
    for seq, words in enumerate(["good morning", "the bus was late"]):
        store.add(
            ModalityScore(
                session_id=session_id,
                modality=Modality.TEXT,
                seq=seq,
                start_s=seq * 2.0,
                end_s=seq * 2.0 + 1.5,
                mood=float(mood_of(calm)),
                distribution=as_mapping(calm),
                details=TextDetails(transcript=words),
                model=model,
                **judged,
            )
        )
    store.end(SessionEnded(session_id=session_id, duration_s=4, speech_chunks=2, frames=20))


def test_a_created_session_is_live_and_has_no_mood(client: TestClient, created: dict[str, Any]) -> None:
    answer = client.get(path(created), headers=bearer(created))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["status"], body["mood"], body["reason"]) == ("live", None, "insufficient_evidence")
    assert body["distribution"] is None
    assert list(body["modalities"]) == ["text", "face"]


def test_only_the_hash_of_a_token_is_kept(
    client: TestClient, created: dict[str, Any], redis_server: fakeredis.FakeServer
) -> None:
    assert client.get(path(created), headers=bearer(created)).status_code == 200
    redis = fakeredis.FakeRedis(server=redis_server, decode_responses=True)
    kept = str([redis.hgetall(name) for name in redis.scan_iter(_type="hash")])
    assert hashlib.sha256(created["token"].encode()).hexdigest() in kept
    assert created["token"] not in kept


def test_a_whole_result_is_the_one_that_the_command_prints(
    client: TestClient, store: SessionStore, created: dict[str, Any]
) -> None:
    fill(store, created["session_id"])
    answer = client.get(path(created, "?include=timeline,transcript"), headers=bearer(created))
    state = store.read(created["session_id"])
    assert state is not None
    evidence, timeline = store.evidence(created["session_id"]), store.timeline(created["session_id"])
    assert answer.json() == build_result(state, timeline, evidence).model_dump(mode="json")


def test_a_session_made_with_a_baseline_is_told_relative_to_it(client: TestClient, store: SessionStore) -> None:
    moods = []
    for usual in (None, 4.0):
        created = client.post("/v1/sessions", json={**WANTED, "baseline": usual}).json()
        fill(store, created["session_id"])
        moods.append(client.get(path(created), headers=bearer(created)).json()["mood"])
    plain, relative = moods
    assert (plain["relative"], relative["relative"], relative["usual"]) == (False, True, 4.0)
    assert relative["absolute"] == plain["score"] != relative["score"]
    assert client.post("/v1/sessions", json={**WANTED, "baseline": 5.5}).status_code == 422


def test_the_summary_leaves_out_what_grows(client: TestClient, store: SessionStore, created: dict[str, Any]) -> None:
    fill(store, created["session_id"])
    body = client.get(path(created), headers=bearer(created)).json()
    assert set(body) == {
        "session_id", "status", "mood", "reason", "distribution", "modalities", "speaker", "accounting", "models",
    }  # fmt: skip
    assert body["status"] == "complete"
    assert body["mood"]["score"] > 3
    assert body["mood"]["relative"] is False
    assert body["modalities"]["face"]["reasons"][0] == "face turned away for 0.4 s of 4"
    assert body["accounting"]["face"] == {
        "published": 20,
        "scored": 18,
        "abstained": 2,
        "failed": 0,
        "expired": 0,
        "forgotten": 0,
    }
    assert "audio" not in body["accounting"]


def test_timeline_and_evidence_by_span(client: TestClient, store: SessionStore, created: dict[str, Any]) -> None:
    fill(store, created["session_id"])
    whole = client.get(path(created, "/timeline"), headers=bearer(created)).json()["timeline"]
    assert [point["start_s"] for point in whole] == [0.0, 1.0, 2.0, 3.0]
    part = client.get(path(created, "/timeline?start_s=1&end_s=3"), headers=bearer(created)).json()["timeline"]
    assert part == whole[1:3]
    seen = client.get(path(created, "/evidence?modality=face&start_s=1&limit=3"), headers=bearer(created)).json()
    assert [score["seq"] for score in seen["evidence"]] == [5, 6, 7]


def test_erasing_gives_a_receipt_and_closes_the_session(
    client: TestClient, store: SessionStore, created: dict[str, Any]
) -> None:
    fill(store, created["session_id"])
    answer = client.delete(path(created), headers=bearer(created))
    assert answer.status_code == 200
    assert answer.json()["evidence"] == 22
    assert client.get(path(created), headers=bearer(created)).status_code == 404


@pytest.mark.parametrize("rest", ["", "/timeline", "/evidence"])
def test_a_session_opens_to_its_own_token_alone(client: TestClient, created: dict[str, Any], rest: str) -> None:
    nobody = client.get(path(created, rest))
    assert (nobody.status_code, nobody.headers["content-type"]) == (401, PROBLEM)
    assert nobody.headers["www-authenticate"] == "Bearer"
    wrong = client.get(path(created, rest), headers={"Authorization": "Bearer guess"})
    unknown = client.get(f"/v1/sessions/unknown-session{rest}", headers=bearer(created))
    malformed = client.get(f"/v1/sessions/*{rest}", headers=bearer(created))
    assert wrong.status_code == 404
    assert wrong.json() == unknown.json() == malformed.json()


def test_nobody_erases_without_the_token(client: TestClient, created: dict[str, Any]) -> None:
    assert client.delete(path(created), headers={"Authorization": "Bearer guess"}).status_code == 404
    assert client.get(path(created), headers=bearer(created)).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"consent": False}, 422, "consent of everyone"),
        ({"purpose": "workplace"}, 403, "AI Act"),
        ({"purpose": "education"}, 403, "AI Act"),
        ({"purpose": "curiosity"}, 422, "purpose"),
        ({"retention_s": 0}, 422, "retention_s"),
        ({"retention_s": 10**9}, 422, "retention_s"),
        ({"modalities": []}, 422, "modalities"),
        ({"modalities": ["smell"]}, 422, "modalities"),
        ({"colour": "blue"}, 422, "colour"),
    ],
)
def test_what_may_not_be_is_refused_with_a_sentence(
    client: TestClient, change: dict[str, Any], status: int, words: str
) -> None:
    answer = client.post("/v1/sessions", json=WANTED | change)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("query", ["include=everything", "include=timeline,", "include="])
def test_an_unknown_part_is_refused(client: TestClient, created: dict[str, Any], query: str) -> None:
    assert client.get(path(created, f"?{query}"), headers=bearer(created)).status_code == 422


@pytest.mark.parametrize("query", ["start_s=-1", "start_s=nan", "end_s=inf"])
def test_a_span_that_is_none_is_refused(client: TestClient, created: dict[str, Any], query: str) -> None:
    assert client.get(path(created, f"/timeline?{query}"), headers=bearer(created)).status_code == 422


def test_keys_where_set_are_needed_to_create(store: SessionStore) -> None:
    digests = ",".join(hashlib.sha256(key.encode()).hexdigest() for key in ("first", "second"))
    settings = FusionSettings.model_validate({"fusion_api_keys": digests})
    client = TestClient(create_app(store, settings))
    assert client.post("/v1/sessions", json=WANTED).status_code == 401
    assert client.post("/v1/sessions", json=WANTED, headers={"X-API-Key": "third"}).status_code == 401
    assert client.post("/v1/sessions", json=WANTED, headers={"X-API-Key": "second"}).status_code == 201


def test_health_tells_what_is_away(store: SessionStore, redis_server: fakeredis.FakeServer) -> None:
    consuming = {"now": True}
    client = TestClient(create_app(store, FusionSettings(), lambda: consuming["now"]))
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    consuming["now"] = False
    assert "broker" in client.get("/readyz").json()["detail"]
    redis_server.connected = False
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "Redis" in answer.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_while_redis_is_away_a_request_says_try_again(
    client: TestClient, created: dict[str, Any], redis_server: fakeredis.FakeServer
) -> None:
    redis_server.connected = False
    answer = client.get(path(created), headers=bearer(created))
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert answer.headers["retry-after"] == "5"


def test_an_unknown_address_is_a_problem_too(client: TestClient) -> None:
    for answer, status in ((client.get("/nowhere"), 404), (client.put("/v1/sessions"), 405)):
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


def test_every_operation_is_documented(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    document = client.get("/openapi.json").json()
    for address, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], address
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == [PROBLEM], (address, status)
    assert {"/v1/sessions", "/v1/sessions/{session_id}", "/healthz", "/readyz"} <= set(document["paths"])


def test_a_session_says_when_it_expires(created: dict[str, Any]) -> None:
    left_s = (datetime.fromisoformat(created["expires_at"]) - datetime.now(UTC)).total_seconds()
    assert 86_300 < left_s <= 86_400
