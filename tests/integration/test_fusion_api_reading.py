"""Lists, thinned timelines, reports, ETags and headers of the HTTP API, over a store in memory."""

import csv
import hashlib
import io
import itertools
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.fusion.api import create_app
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from shared.emotions import EMOTIONS, Modality
from shared.messages.details import FaceDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.sessions import new_session

PROBLEM = "application/problem+json"
WANTED: dict[str, Any] = {"consent": True, "purpose": "personal"}


@pytest.fixture
def client(store: SessionStore) -> Iterator[TestClient]:
    with TestClient(create_app(store, FusionSettings(fusion_rate=1000))) as client:
        yield client


def create(client: TestClient, baseline: float | None = None, key: str = "") -> tuple[str, dict[str, str]]:
    wanted = {**WANTED, "baseline": baseline}
    body = client.post("/v1/sessions", json=wanted, headers={"X-API-Key": key}).json()
    return f"/v1/sessions/{body['session_id']}", {"Authorization": f"Bearer {body['token']}"}


def see(store: SessionStore, session: str, seconds: int) -> None:
    """One frame a second."""
    scores = [
        ModalityScore(
            session_id=session.rpartition("/")[2],
            modality=Modality.FACE,
            seq=seq,
            start_s=seq,
            end_s=seq,
            status=Status.SCORED,
            mood=3.0,
            distribution=dict.fromkeys(EMOTIONS, 1 / 7),
            confidence=0.7,
            quality=0.9,
            details=FaceDetails(),
            model=ModelRef(name="mien-model", version="1"),
        )
        for seq in range(seconds)
    ]
    store.apply(scores)


def test_a_key_lists_the_sessions_that_it_created_page_by_page(store: SessionStore) -> None:
    keys = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two")}
    settings = FusionSettings.model_validate({"fusion_api_keys": ",".join(keys.values()), "fusion_rate": 1000})
    client = TestClient(create_app(store, settings))
    made = [create(client, key="one")[0].rpartition("/")[2] for _ in range(7)]
    create(client, key="two")
    listed, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        query = f"?limit=3&cursor={cursor}" if cursor else "?limit=3"
        page = client.get(f"/v1/sessions{query}", headers={"X-API-Key": "one"}).json()
        listed += [each["session_id"] for each in page["sessions"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (sorted(listed), pages) == (sorted(made), 3)
    assert client.get("/v1/sessions").status_code == 401


def test_what_is_erased_is_listed_no_more(client: TestClient) -> None:
    (kept, _), (erased, token) = create(client), create(client)
    assert client.delete(erased, headers=token).status_code == 200
    listed = client.get("/v1/sessions").json()["sessions"]
    assert [each["session_id"] for each in listed] == [kept.rpartition("/")[2]]


def test_a_result_is_not_sent_twice(client: TestClient, store: SessionStore) -> None:
    session, token = create(client)
    tag = client.get(session, headers=token).headers["etag"]
    again = client.get(session, headers={**token, "If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    see(store, session, 1)
    changed = client.get(session, headers={**token, "If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_a_result_names_the_trace_that_the_session_began_with(client: TestClient) -> None:
    session, token = create(client)
    assert client.get(session, headers=token).headers["traceparent"].startswith("00-")


def test_a_long_timeline_is_thinned_without_leaving_evidence_out(client: TestClient, store: SessionStore) -> None:
    session, token = create(client)
    see(store, session, 600)
    thin = client.get(f"{session}/timeline?points=100", headers=token).json()
    assert thin["resolution_s"] == 6
    assert [point["start_s"] for point in thin["timeline"]] == [6.0 * index for index in range(100)]
    part = client.get(f"{session}/timeline?resolution_s=60&start_s=60&end_s=180", headers=token).json()
    assert [(point["start_s"], point["end_s"]) for point in part["timeline"]] == [(60, 120), (120, 180)]


def test_a_timeline_has_no_more_points_than_wanted_wherever_it_begins(client: TestClient, store: SessionStore) -> None:
    session, token = create(client)
    see(store, session, 25)
    for start_s, points in itertools.product((0, 1, 5, 6), range(10, 14)):
        address = f"{session}/timeline?points={points}&start_s={start_s}"
        assert 1 <= len(client.get(address, headers=token).json()["timeline"]) <= points


@pytest.mark.parametrize("query", ["", "?resolution_s=7", "?start_s=5&end_s=9"])
def test_every_point_of_a_timeline_names_the_scores_that_it_stands_on(
    client: TestClient, store: SessionStore, query: str
) -> None:
    session, token = create(client)
    see(store, session, 20)
    answer = client.get(f"{session}/timeline{query}", headers=token).json()
    reach, length = len(answer["smoothing"]["weights"]) // 2, answer["resolution_s"]
    for point in answer["timeline"]:
        first, last = point["start_s"] - reach, point["start_s"] + length + reach
        assert [each["seq"] for each in point["evidence"]] == [seq for seq in range(20) if first <= seq < last]
        assert sum(each["weight"] for each in point["evidence"]) == pytest.approx(1, abs=1e-3)
        assert point["evidence"][0]["model"] == {"name": "mien-model", "version": "1"}
    bare = client.get(f"{session}/timeline?evidence=false", headers=token).json()
    assert all("evidence" not in point or not point["evidence"] for point in bare["timeline"])


def test_evidence_is_read_page_by_page_though_much_begins_at_once(client: TestClient, store: SessionStore) -> None:
    session, token = create(client)
    see(store, session, 3)
    third = store.evidence(session.rpartition("/")[2])[0].model_copy(update={"start_s": 1 / 3, "end_s": 1 / 3})
    store.apply([third.model_copy(update={"seq": seq}) for seq in range(10, 17)])
    seqs, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = client.get(f"{session}/evidence?limit=3{cursor and f'&cursor={cursor}'}", headers=token).json()
        seqs += [score["seq"] for score in page["evidence"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (seqs, pages) == ([0, *range(10, 17), 1, 2], 4)
    assert client.get(f"{session}/evidence?cursor=x", headers=token).status_code == 422


# The span of a question without an end ends at 1e8 s, which is not part of it.
@given(st.lists(st.floats(0, 1e8, exclude_max=True), min_size=2, max_size=4, unique=True))
@example([0.0, 99_999_999.0])
@example([seq / 7000 for seq in range(40)])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_page_of_evidence_leaves_a_score_out_wherever_it_begins(
    client: TestClient, store: SessionStore, starts_s: list[float]
) -> None:
    session, token = create(client)
    see(store, session, 1)
    first = store.evidence(session.rpartition("/")[2])[0]
    store.apply(
        [first.model_copy(update={"seq": seq, "start_s": at, "end_s": at}) for seq, at in enumerate(starts_s, start=1)]
    )
    seqs: list[int] = []
    cursor = ""
    while not seqs or cursor:
        page = client.get(f"{session}/evidence?limit=1{cursor and f'&cursor={cursor}'}", headers=token).json()
        seqs += [score["seq"] for score in page["evidence"]]
        cursor = page["next_cursor"]
    assert sorted(seqs) == list(range(len(starts_s) + 1))


def test_a_forgotten_stretch_is_gone_from_every_answer(client: TestClient, store: SessionStore) -> None:
    session, token = create(client)
    see(store, session, 20)
    forgotten = client.post(f"{session}/forget", json={"start_s": 5, "end_s": 15}, headers=token)
    assert (forgotten.status_code, forgotten.json()["accounting"]["face"]["forgotten"]) == (200, 10)
    rest = [*range(5), *range(15, 20)]
    timeline = client.get(f"{session}/timeline", headers=token).json()["timeline"]
    assert [point["start_s"] for point in timeline] == rest
    assert {each["seq"] for point in timeline for each in point["evidence"]} == set(rest)
    evidence = client.get(f"{session}/evidence", headers=token).json()["evidence"]
    assert [score["seq"] for score in evidence] == rest
    whole = client.get(f"{session}/report.json", headers=token).json()
    row = whole["accounting"]["face"]
    assert row["published"] == row["scored"] + row["forgotten"] == 20
    assert '<td class="number">10</td>' in client.get(f"{session}/report.html", headers=token).text
    assert client.post(f"{session}/forget", json={"start_s": 5, "end_s": 5}, headers=token).status_code == 422


def test_ending_closes_the_account_once(client: TestClient, store: SessionStore) -> None:
    session, token = create(client)
    see(store, session, 3)
    ended = client.post(f"{session}/end", headers=token).json()
    assert (ended["status"], ended["accounting"]["face"]["published"]) == ("complete", 3)
    assert client.post(f"{session}/end", headers=token).status_code == 409


def test_reports_stand_alone(client: TestClient, store: SessionStore) -> None:
    session, token = create(client)
    see(store, session, 3)
    page = client.get(f"{session}/report.html", headers=token)
    assert "sandbox" in page.headers["content-security-policy"]
    assert "<svg" in page.text
    assert "http://" not in page.text
    rows = list(csv.DictReader(io.StringIO(client.get(f"{session}/report.csv", headers=token).text)))
    whole = client.get(f"{session}/report.json", headers=token).json()
    assert [float(row["mood"]) for row in rows] == [point["mood"] for point in whole["timeline"]]
    assert rows[0]["text_mood"] == ""
    assert rows[0]["face_share"] == "1.0"


@pytest.mark.parametrize("usual", [None, 4.0])
def test_every_answer_says_whether_its_moods_are_relative(
    client: TestClient, store: SessionStore, usual: float | None
) -> None:
    session, token = create(client, usual)
    see(store, session, 30)
    relative = usual is not None
    whole = client.get(f"{session}/report.json", headers=token).json()
    for part in (client.get(f"{session}/timeline", headers=token).json(), whole["mood"], whole["course"]):
        assert (part["relative"], part["usual"]) == (relative, usual)
    assert whole["course"]["label"].startswith(whole["mood"]["label"])
    for point in whole["timeline"]:
        face = point["modalities"]["face"]
        assert (face["relative"], point["absolute"]) == ((point["mood"], face["mood"]) if relative else (None, None))
    rows = list(csv.DictReader(io.StringIO(client.get(f"{session}/report.csv", headers=token).text)))
    assert {(row["relative"], row["usual"]) for row in rows} == {("true", "4.0") if relative else ("false", "")}
    assert {row["absolute"] for row in rows} == {rows[0]["face_mood"] if relative else ""}
    page = client.get(f"{session}/report.html", headers=token).text
    assert ("usual 4.0" in page) == (page.count("Absolute, without the usual.") == 1) == relative


def test_a_report_tells_when_the_session_was_and_not_when_it_is_read(client: TestClient, store: SessionStore) -> None:
    started, token = new_session(session_id="session-of-then")
    began = datetime(2020, 2, 29, 13, 5, tzinfo=timezone(timedelta(hours=2)))
    store.start(started.model_copy(update={"started_at": began}))
    page = client.get("/v1/sessions/session-of-then/report.html", headers={"Authorization": f"Bearer {token}"})
    assert re.findall(r"\d{4}-\d\d-\d\d.{10}", page.text) == ["2020-02-29 11:05 UTC"]


def test_pages_of_other_sites_may_call_only_where_they_are_named(store: SessionStore) -> None:
    asking = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    closed = TestClient(create_app(store, FusionSettings()))
    assert "access-control-allow-origin" not in closed.get("/healthz", headers=asking).headers
    assert closed.options("/v1/sessions", headers=asking).status_code == 405
    settings = FusionSettings.model_validate({"fusion_cors_origins": "https://elsewhere.example"})
    opened = TestClient(create_app(store, settings)).options("/v1/sessions", headers=asking)
    assert opened.headers["access-control-allow-origin"] == "https://elsewhere.example"


def test_every_answer_keeps_a_browser_from_what_it_does_not_need(client: TestClient) -> None:
    for path in ("/healthz", "/nowhere", "/docs"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_metrics_count_requests_by_route_and_sessions_that_go_on(client: TestClient) -> None:
    before = client.get("/metrics").text
    assert "mien_sessions_live 0.0" in before
    session, token = create(client)
    client.get(session, headers=token)
    text = client.get("/metrics").text
    assert "mien_sessions_live 1.0" in text
    assert 'mien_http_request_seconds_count{route="/v1/sessions/{session_id}",status="200"}' in text
    assert session.rpartition("/")[2] not in text


def test_metrics_count_faults_of_the_service(store: SessionStore) -> None:
    app = create_app(store, FusionSettings())
    app.add_api_route("/broken", lambda: 1 // 0)
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get("/broken").status_code == 500
    assert 'mien_http_request_seconds_count{route="/broken",status="500"} 1.0' in client.get("/metrics").text


def test_documentation_works_offline(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "//" not in page.replace("<!doctype", "")
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert client.get(f"/docs/{name}").status_code == 200
    assert client.get("/docs/..%2Fsecret").status_code == 404


def test_the_dashboard_is_whole_and_names_no_other_site(client: TestClient) -> None:
    page = client.get("/").text
    assert "//" not in page.replace("<!doctype", "")
    names = re.findall(r"/assets/([\w.-]+)", page)
    plotly = next(name for name in names if name.startswith("plotly-"))
    assert {"app.js", "style.css", "icon.svg", plotly} == set(names)
    for name in [*names, "api.js", "view.js", "charts.js", "capture.js", "recorder.js"]:
        first = client.get(f"/assets/{name}")
        assert (first.status_code, first.headers["content-encoding"]) == (200, "gzip")
        assert client.get(f"/assets/{name}", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert "immutable" in client.get(f"/assets/{plotly}").headers["cache-control"]
    for name in ("__init__.py", "..%2Fapi%2Fapp.py", "nothing.js"):
        assert client.get(f"/assets/{name}").status_code == 404
