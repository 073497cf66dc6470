"""Schemathesis on the whole OpenAPI document: no 5xx, no undocumented status, and every answer as it is described."""

from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from pydantic import BaseModel
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.fusion.api import create_app, examples, models
from services.fusion.api.problems import Problem
from services.fusion.results import SessionResult, SessionSummary
from services.fusion.settings import FusionSettings
from shared.broker.memory import MemoryBroker
from shared.errors import BadInputError
from shared.messages.session import SessionStarted
from shared.topology import TOPOLOGY
from tests.stores import memory_store

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class NoMedia:
    """Reads what Schemathesis makes up: it is never a recording."""

    def recording(self, _started: SessionStarted, _media: bytes, _on_progress: object) -> Any:
        raise BadInputError("That is not a media file that can be read; give mp4.")

    def live(self, _started: SessionStarted) -> Any:
        raise BadInputError("That is not a microphone.")


broker = MemoryBroker()
broker.declare(TOPOLOGY)
app = create_app(
    memory_store(),
    FusionSettings(fusion_rate=1e6, fusion_guess_rate=1e6),
    broker=broker,
    ingest=NoMedia(),
)
schema = schemathesis.openapi.from_asgi("/openapi.json", app)


def created(*, ended: bool) -> tuple[str, str]:
    client = TestClient(app)
    body = client.post("/v1/sessions", json={"consent": True, "purpose": "personal"}).json()
    if ended:
        headers = {"Authorization": f"Bearer {body['token']}"}
        assert client.post(f"/v1/sessions/{body['session_id']}/end", headers=headers).status_code == 200
    return body["session_id"], body["token"]


@pytest.mark.parametrize("knows", [True, False], ids=["with a token", "without"])
@schema.parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_answer_is_documented(case: "schemathesis.Case[Any]", knows: bool) -> None:
    if knows and "session_id" in (case.path_parameters or {}):
        session_id, token = created(ended=case.operation.path.endswith("/events"))
        case.path_parameters["session_id"] = session_id
        case.headers["Authorization"] = f"Bearer {token}"
    case.call_and_validate(checks=CHECKS)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (models.NewSession, examples.NEW_SESSION),
        (models.CreatedSession, examples.CREATED),
        (models.SessionAnswer, examples.SUMMARY),
        (SessionSummary, examples.SUMMARY),
        (SessionResult, examples.WHOLE),
        (models.SessionPage, examples.PAGE),
        (models.Timeline, examples.TIMELINE),
        (models.Evidence, examples.EVIDENCE),
        (models.ErasureReceipt, examples.RECEIPT),
        (Problem, examples.PROBLEM),
    ],
)
def test_every_example_is_one(model: type[BaseModel], example: dict[str, Any]) -> None:
    assert model.model_validate(example).model_dump(mode="json", exclude_unset=True).keys() == example.keys()


def test_every_operation_shows_what_it_takes_and_gives() -> None:
    document = app.openapi()
    schemas = document["components"]["schemas"]

    def shows(content: dict[str, Any]) -> bool:
        schema = content.get("schema", {})
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return "example" in content or "examples" in schema

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            told = [operation["requestBody"]] if "requestBody" in operation else []
            told += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            contents = [content for each in told for kind, content in each.get("content", {}).items() if "json" in kind]
            assert all(map(shows, contents)), (method, path)


def test_the_whole_api_is_looked_at() -> None:
    paths = set(schema.raw_schema["paths"])
    assert {"/v1/sessions", "/v1/sessions/{session_id}/events", "/v1/sessions/{session_id}/media"} <= paths
    assert paths == set(app.openapi()["paths"])
