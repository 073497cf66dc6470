"""Typed text, recordings and live sound over HTTP, through every service in one process."""

import asyncio
import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession

from services.capture.ingest import BrokerIngest
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from services.embedded import Embedded
from services.fusion.api import create_app, inputs
from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from shared.broker.memory import MemoryBroker
from shared.errors import MienError
from shared.messages.typed import FIRST_TYPED_SEQ
from shared.sessions import new_session
from shared.topology import TOPOLOGY
from tests.e2e.command import SAMPLE


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    settings = FusionSettings(fusion_rate=1000, fusion_guess_rate=1000, fusion_max_media_mb=1)
    with Embedded() as mien, TestClient(mien.api(settings)) as client:
        yield client


class Session:
    def __init__(self, client: TestClient, *modalities: str) -> None:
        wanted = {"consent": True, "purpose": "personal", "modalities": modalities or ["text", "audio", "face"]}
        created = client.post("/v1/sessions", json=wanted).json()
        self.client, self.path = client, f"/v1/sessions/{created['session_id']}"
        self.token = created["token"]
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def post(self, rest: str, **more: Any) -> Any:
        return self.client.post(f"{self.path}{rest}", headers=self.headers, **more)

    def get(self, rest: str = "") -> Any:
        return self.client.get(f"{self.path}{rest}", headers=self.headers).json()

    def final(self) -> tuple[list[tuple[str, dict[str, Any]]], dict[str, Any]]:
        """Follow it to its end."""
        text = self.client.get(f"{self.path}/events", headers=self.headers).text
        frames = [dict(line.partition(": ")[::2] for line in frame.splitlines()) for frame in text.split("\n\n")]
        events = [(frame["event"], json.loads(frame["data"])) for frame in frames if "event" in frame]
        assert events[-1][0] == "final"
        return events, events[-1][1]


def balanced(result: dict[str, Any]) -> bool:
    rows = result["accounting"].values()
    return all(row["published"] == row["scored"] + row["abstained"] + row["failed"] + row["expired"] for row in rows)


def test_typed_text_becomes_evidence(client: TestClient) -> None:
    session = Session(client, "text")
    for index, text in enumerate(["I am so happy today, this is wonderful!", "...", "What a lovely surprise."]):
        answer = session.post("/text", json={"text": text, "at_s": 5.0 * index})
        assert (answer.status_code, answer.json()["seq"]) == (202, FIRST_TYPED_SEQ + index)
    session.post("/end")
    _, result = session.final()
    assert result["accounting"]["text"] == {
        "published": 3,
        "scored": 2,
        "abstained": 1,
        "failed": 0,
        "expired": 0,
        "forgotten": 0,
    }
    assert result["mood"]["score"] > 3.5
    transcript = session.get("?include=transcript")["transcript"]
    assert [line["start_s"] for line in transcript][:1] == [0.0]
    assert "wonderful" in transcript[0]["text"]
    assert session.post("/text", json={"text": "too late"}).status_code == 409


def test_text_that_nobody_agreed_to_is_refused(client: TestClient) -> None:
    assert Session(client, "face").post("/text", json={"text": "hello"}).status_code == 403


def test_a_recording_is_read_from_memory_and_followed_to_its_end(client: TestClient) -> None:
    session = Session(client)
    answer = session.post("/media", content=SAMPLE.read_bytes())
    assert (answer.status_code, answer.json()["bytes"]) == (202, SAMPLE.stat().st_size)
    events, result = session.final()
    progress = [data for kind, data in events if kind == "progress"]
    duration_s = FileSource(SAMPLE).duration_s
    assert duration_s is not None
    assert math.isclose(float(progress[-1]["done_s"]), duration_s, abs_tol=0.5)
    assert [float(each["done_s"]) for each in progress] == sorted(float(each["done_s"]) for each in progress)
    assert balanced(result)
    assert result["accounting"]["text"]["scored"] == 3
    assert session.post("/media", content=SAMPLE.read_bytes()).status_code == 409


def test_what_is_no_recording_is_refused_and_may_be_replaced(client: TestClient) -> None:
    session = Session(client, "face")
    for content in (b"these are words, not a recording" * 100, b"", SAMPLE.read_bytes()[:2000]):
        refused = session.post("/media", content=content)
        assert refused.status_code == 415, refused.json()
    assert session.post("/media", content=bytes(1_000_001)).status_code == 413
    assert session.post("/media", content=SAMPLE.read_bytes()).status_code == 202
    session.final()


async def upload(client: TestClient, session: Session, *parts: bytes, then: str) -> int:
    """Send parts of a recording, and then nothing more: gone or standing still. Return the status of the answer."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        if then == "silence":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    headers = [(b"authorization", session.headers["Authorization"].encode())]
    path = f"{session.path}/media"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers, "client": None}
    await client.app(scope, receive, send)
    return statuses[0]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("parts", "then", "status"),
    [([b"half"], "gone", 408), ([b"half"], "silence", 408), ([b"", bytes(600_000), bytes(600_000)], "gone", 413)],
)
def test_an_upload_that_breaks_off_may_be_sent_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, parts: list[bytes], then: str, status: int
) -> None:
    session = Session(client, "face")
    with monkeypatch.context() as patched:
        patched.setattr(inputs, "QUIET_S", 0.1)
        for _ in range(inputs.MAX_AT_ONCE + 1):
            assert asyncio.run(upload(client, session, *parts, then=then)) == status
    assert session.post("/media", content=b"words").status_code == 415, "neither the session nor a place is taken"


def test_a_recording_may_not_name_files_of_this_machine(client: TestClient) -> None:
    playlist = f"ffconcat version 1.0\nfile '{SAMPLE.absolute()}'\n".encode()
    assert Session(client).post("/media", content=playlist).status_code == 415


def sound(at_s: float, pcm: bytes) -> bytes:
    return b"\x00" + struct.pack("<d", at_s) + pcm


def feed(socket: WebSocketTestSession) -> None:
    """Send the sample as a browser would: sound in small blocks, and pictures."""
    for item in FileSource(SAMPLE):
        if isinstance(item, AudioBlock):
            pcm = (np.clip(item.samples, -1, 1) * 32767).astype("<i2").tobytes()
            for start in range(0, len(pcm), 8000):
                socket.send_bytes(sound(item.start_s + start / 32_000, pcm[start : start + 8000]))
        elif item.at_s < 1.5:
            jpeg = cv2.imencode(".jpg", cv2.cvtColor(item.image, cv2.COLOR_RGB2BGR))[1].tobytes()
            socket.send_bytes(b"\x01" + struct.pack("<d", item.at_s) + jpeg)


def test_live_sound_and_pictures_are_cut_by_the_same_framer(client: TestClient) -> None:
    session = Session(client)
    with client.websocket_connect(f"{session.path}/live") as socket:
        socket.send_json({"token": session.token})
        assert socket.receive_json() == {"ready": True}
        feed(socket)
        socket.send_json({"end": True})
        assert socket.receive()["type"] == "websocket.close"
    _, result = session.final()
    assert balanced(result)
    assert result["accounting"]["text"]["scored"] == 3
    assert result["accounting"]["face"]["published"] > 0


def test_a_live_session_can_be_ended_from_elsewhere(client: TestClient) -> None:
    session = Session(client, "audio")
    with client.websocket_connect(f"{session.path}/live") as socket:
        socket.send_json({"token": session.token})
        socket.receive_json()
        socket.send_bytes(sound(0.0, bytes(32_000)))
        assert session.post("/end").status_code == 200
        for place in range(300):
            socket.send_bytes(sound(1.0 + place / 10, bytes(3200)))
        assert "has ended" in socket.receive_json()["error"]
    assert session.final()[1]["status"] == "complete"


def test_an_erased_live_session_takes_nothing_more(client: TestClient) -> None:
    session = Session(client, "audio")
    with client.websocket_connect(f"{session.path}/live") as socket:
        socket.send_json({"token": session.token})
        socket.receive_json()
        assert client.delete(session.path, headers=session.headers).status_code == 200
        socket.send_bytes(sound(0.0, bytes(3200)))
        assert "has ended" in socket.receive_json()["error"]


def test_a_live_session_can_be_ended_while_the_broker_is_away(store: SessionStore) -> None:
    broker = MemoryBroker()
    broker.declare(TOPOLOGY)
    app = create_app(store, FusionSettings(), broker=broker, ingest=BrokerIngest(broker))
    with TestClient(app) as client:
        session = Session(client, "audio")
        with client.websocket_connect(f"{session.path}/live") as socket:
            socket.send_json({"token": session.token})
            socket.receive_json()
            broker.close()
            assert session.post("/end").status_code == 200
        assert session.get()["status"] == "complete"


def test_the_recording_of_an_erased_session_is_not_read_on(store: SessionStore) -> None:
    broker = MemoryBroker()
    broker.declare(TOPOLOGY)
    started, _ = new_session()
    store.start(started)
    send = inputs.opened(BrokerIngest(broker), store, started, SAMPLE.read_bytes())
    store.erase(started.session_id)
    with pytest.raises(MienError, match="is gone"):
        send()
    assert broker.depth("mien.face") <= 5


@pytest.mark.parametrize(
    ("hello", "words"),
    [({"token": "guess"}, "no such session"), ({}, "no such session"), ("nothing", "no such session")],
)
def test_live_input_needs_the_token(client: TestClient, hello: Any, words: str) -> None:
    session = Session(client)
    with client.websocket_connect(f"{session.path}/live") as socket:
        socket.send_json(hello)
        assert words in socket.receive_json()["error"]


def test_pages_of_other_sites_may_not_send(client: TestClient) -> None:
    session = Session(client)
    with client.websocket_connect(f"{session.path}/live", headers={"Origin": "https://elsewhere.example"}) as socket:
        assert "other sites" in socket.receive_json()["error"]


def picture(at_s: float) -> bytes:
    jpeg = cv2.imencode(".jpg", np.zeros((48, 64, 3), dtype=np.uint8))[1].tobytes()
    return b"\x01" + struct.pack("<d", at_s) + jpeg


@pytest.mark.parametrize(
    "data",
    [
        b"\x02",
        b"\x01",
        b"\x01" + bytes(8) + b"no jpeg",
        b"\x00" + bytes(8) + b"odd",
        b"",
        *(sound(at_s, bytes(2)) for at_s in (math.inf, math.nan, 1e300)),
        *(picture(at_s) for at_s in (math.inf, -math.inf, math.nan, 1e300)),
    ],
)
def test_what_is_neither_sound_nor_a_picture_ends_the_session(client: TestClient, data: bytes) -> None:
    session = Session(client)
    with client.websocket_connect(f"{session.path}/live") as socket:
        socket.send_json({"token": session.token})
        socket.receive_json()
        socket.send_bytes(data)
        assert socket.receive_json()["error"]
    assert session.final()[1]["status"] == "complete"
