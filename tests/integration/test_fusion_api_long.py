"""Long sessions over HTTP: what is answered is the whole, and little of the evidence is held at once."""

from collections.abc import Iterator, Sequence
from typing import Any

import fakeredis
import pytest
from fastapi.testclient import TestClient

from services.fusion.api import create_app
from services.fusion.api.points import points_of
from services.fusion.results import build_result, build_timeline
from services.fusion.settings import FusionSettings
from services.fusion.state import SessionState
from services.fusion.store import SessionStore
from shared.emotions import EMOTIONS, Emotion, Modality, as_mapping, mood_of
from shared.messages.details import empty_details
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.sessions import new_session

LONG_S = 1500


class Watched(SessionStore):
    """A store that remembers what evidence was read of it."""

    def __init__(self, client: fakeredis.FakeRedis) -> None:
        super().__init__(client)
        self.reads: list[Sequence[ModalityScore]] = []

    def evidence(self, *arguments: Any, **named: Any) -> list[ModalityScore]:
        scores = super().evidence(*arguments, **named)
        self.reads.append(scores)
        return scores


def score(modality: Modality, seq: int, start_s: float, length_s: float) -> ModalityScore:
    joy = 0.2 + 0.6 * (seq % 7) / 7
    distribution = [joy if each is Emotion.JOY else (1 - joy) / 6 for each in EMOTIONS]
    return ModalityScore(
        session_id="session-long", modality=modality, seq=seq, start_s=start_s, end_s=start_s + length_s,
        status=Status.SCORED, mood=float(mood_of(distribution)), distribution=as_mapping(distribution),
        quality=0.7, details=empty_details(modality), model=ModelRef(name=f"mien-{modality}", version="1"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def session() -> tuple[Watched, str]:
    """A frame a second but for a silence, and voices that reach over every border; with its token."""
    store = Watched(fakeredis.FakeRedis(decode_responses=True))
    started, token = new_session(session_id="session-long", baseline=3.4)
    frames = [score(Modality.FACE, at, at, 0) for at in range(LONG_S) if not 700 <= at < 1000]
    voices = [score(Modality.AUDIO, seq, 40 * seq - 9.5 if seq else 0.0, 25) for seq in range(16)]
    store.apply([started, *frames, *voices])
    return store, token


@pytest.fixture
def store(session: tuple[Watched, str]) -> Watched:
    session[0].reads.clear()
    return session[0]


@pytest.fixture
def state(store: Watched) -> SessionState:
    state = store.read("session-long")
    assert state is not None
    return state


@pytest.fixture
def client(store: Watched, session: tuple[Watched, str]) -> Iterator[TestClient]:
    app = create_app(store, FusionSettings(fusion_rate=1000))
    with TestClient(app, headers={"Authorization": f"Bearer {session[1]}"}) as client:
        yield client


def test_the_whole_is_what_it_is_built_from_at_once(client: TestClient, store: Watched, state: SessionState) -> None:
    whole = build_result(state, store.timeline("session-long"), store.evidence("session-long"))
    store.reads.clear()
    assert client.get("/v1/sessions/session-long/report.json").text == whole.model_dump_json()
    assert max(map(len, store.reads)) < 700
    answer = client.get("/v1/sessions/session-long?include=timeline").json()
    assert answer["timeline"] == whole.model_dump(mode="json")["timeline"]


@pytest.mark.parametrize("length", [1, 7, 3600])
@pytest.mark.parametrize("span", [(0.0, 1e8), (595.0, 605.0), (601.5, 1201.0), (800.0, 900.0)])
def test_a_span_is_a_part_of_the_whole(
    store: Watched, state: SessionState, length: int, span: tuple[float, float]
) -> None:
    bins, evidence = store.timeline("session-long"), store.evidence("session-long")
    whole = build_timeline(state, bins, evidence=evidence, length=length)
    expected = [point for point in whole if point.end_s > span[0] and point.start_s < span[1]]
    assert list(points_of(store, state, *span, length=length, evidence=True)) == expected


@pytest.mark.parametrize("report", ["csv", "html"])
def test_a_report_that_names_no_evidence_reads_none_but_the_words(
    client: TestClient, store: Watched, report: str
) -> None:
    assert client.get(f"/v1/sessions/session-long/report.{report}").status_code == 200
    assert all(score.modality is Modality.TEXT for read in store.reads for score in read)


def test_a_printed_chart_has_no_more_points_than_it_is_wide(client: TestClient) -> None:
    page = client.get("/v1/sessions/session-long/report.html").text
    drawn = page.partition('<polyline points="')[2].partition('"')[0]
    assert 100 < len(drawn.split()) < 720
