"""Typed text over HTTP while the broker takes nothing, and the second at which it is placed; over a store in memory."""

import time
from concurrent.futures import Future
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from services.fusion.api import create_app
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from shared.broker.memory import MemoryBroker
from shared.emotions import Modality
from shared.messages import Message
from shared.messages.details import TextDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.typed import TypedText
from shared.sessions import new_session
from shared.topology import MEDIA_EXCHANGE, TOPOLOGY


class Alarmed(MemoryBroker):
    """A broker that takes nothing until its alarm is over; what is published meanwhile waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.declare(TOPOLOGY)
        self.waiting: list[Message] = []

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        assert (exchange, routing_key) == (MEDIA_EXCHANGE, TypedText.TYPE)
        self.waiting.append(message)
        return Future()


def test_seconds_count_from_the_start_of_the_agent_by_the_clock_of_redis(store: SessionStore) -> None:
    broker = Alarmed()
    client = TestClient(create_app(store, FusionSettings(), broker=broker))
    started, token = new_session((Modality.TEXT,))
    early = started.model_copy(update={"started_at": started.started_at - timedelta(minutes=5)})

    def elapsed_s() -> float:
        state = store.read(started.session_id)
        assert state is not None
        return store.elapsed_s(state)

    began = time.monotonic()
    assert store.start(early)
    while elapsed_s() < 0.2:
        continue
    again = time.monotonic()
    assert store.start(started)
    assert elapsed_s() < time.monotonic() - again + 0.01
    while elapsed_s() < 0.05:
        continue
    assert store.start(started), "delivered again"
    assert store.start(early)
    assert elapsed_s() >= 0.05
    address, headers = f"/v1/sessions/{started.session_id}", {"Authorization": f"Bearer {token}"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.fusion.api.inputs.PUBLISH_TIMEOUT_S", 0.01)
        assert client.post(f"{address}/text", json={"text": "what a day"}, headers=headers).status_code == 202
    assert client.post(f"{address}/end", headers=headers).status_code == 200
    state = store.read(started.session_id)
    assert state is not None
    assert state.ended is not None
    assert 0 < TypedText.from_message(broker.waiting[0]).start_s < state.ended.duration_s < time.monotonic() - began
    broker.close()


def test_a_text_that_waits_for_the_broker_is_not_asked_for_again(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.fusion.api.inputs.PUBLISH_TIMEOUT_S", 0.01)
    broker = Alarmed()
    client = TestClient(create_app(store, FusionSettings(), broker=broker))
    created = client.post("/v1/sessions", json={"consent": True, "purpose": "personal", "modalities": ["text"]}).json()
    address, headers = f"/v1/sessions/{created['session_id']}", {"Authorization": f"Bearer {created['token']}"}
    answer = client.post(f"{address}/text", json={"text": "what a day"}, headers=headers)
    assert answer.status_code == 202
    [typed] = [TypedText.from_message(message) for message in broker.waiting]
    assert typed.seq == answer.json()["seq"]

    def account() -> tuple[int, int]:
        row = client.get(address, headers=headers).json()["accounting"]["text"]
        return row["failed"], row["abstained"]

    assert account() == (1, 0)
    store.add(
        ModalityScore(
            session_id=typed.session_id,
            modality=Modality.TEXT,
            seq=typed.seq,
            start_s=typed.start_s,
            end_s=typed.end_s,
            status=Status.ABSTAINED,
            reason="no_words",
            details=TextDetails(transcript="what a day"),
            model=ModelRef(name="mien-text", version="1"),
        )
    )
    assert account() == (0, 1)
    broker.close()
