"""The API killed while clients follow a session: each goes on where it was."""

import json
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from time import monotonic
from typing import Final

import httpx
import pytest

from shared.emotions import Modality
from tests.faults.session import Session
from tests.faults.system import LONG, PATIENCE_S, TIMEOUT_S, System, recovered

pytestmark = pytest.mark.timeout(TIMEOUT_S)

_RETRY_S: Final = 1.0
"""What the stream itself asks for as ``retry``."""

CLIENTS: Final = 20 if LONG else 4


class Reader(Thread):
    """A client that follows a session, goes on with ``Last-Event-ID`` when it is cut off, and keeps what it hears."""

    def __init__(self, system: System, session: Session) -> None:
        super().__init__(daemon=True)
        self._url = f"http://127.0.0.1:{system.api_port}{session.path}/events"
        self._headers = session.headers
        self.heard: list[str] = []
        self.final: dict[str, object] = {}
        self.cuts = 0
        self._pause = Event()

    def run(self) -> None:
        deadline = monotonic() + PATIENCE_S
        last: dict[str, str] = {}
        while not self.final and monotonic() < deadline:
            with suppress(httpx.TransportError):
                for kind, event_id, data in self._events(last):
                    if event_id:
                        last = {"Last-Event-ID": event_id}
                    if kind == "score":
                        self.heard.append(json.loads(data)["seq"])
                    elif kind == "final":
                        self.final = json.loads(data)
            self.cuts += not self.final
            self._pause.wait(_RETRY_S)

    def _events(self, last: dict[str, str]) -> Iterator[tuple[str, str, str]]:
        with httpx.stream("GET", self._url, headers={**self._headers, **last}, timeout=10) as answer:
            kind = event_id = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind, event_id = value, ""
                elif name == "id":
                    event_id = value
                elif name == "data":
                    yield kind, event_id, value


def test_clients_that_follow_miss_nothing_and_hear_nothing_twice(system: System) -> None:
    session = Session(system, Modality.FACE)
    session.send(20)
    session.await_progress(20)
    readers = [Reader(system, session) for _ in range(CLIENTS)]
    for reader in readers:
        reader.start()
    session.send(100)
    system.wait_until(lambda: all(len(reader.heard) > 20 for reader in readers), lambda: "nobody hears anything")
    system.kill("fusion")
    since = monotonic()
    session.send(50)
    system.start("fusion")
    session.end()
    session.check()
    for reader in readers:
        reader.join(PATIENCE_S)
    recovered(f"fusion and API killed (-9) while {CLIENTS} clients followed, and started again", since)
    for reader in readers:
        assert sorted(map(int, reader.heard)) == list(range(170))
        assert reader.final["status"] == "complete"
        assert reader.cuts >= 1
