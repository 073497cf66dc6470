"""What the agent's view asks of a real fusion service over HTTP."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Final

import pytest

from services.capture.sources.file import FileSource
from services.cli.readout import HttpReadout, NoReadout
from services.embedded import Embedded
from services.fusion.settings import FusionSettings
from shared.emotions import Modality
from shared.errors import SessionError, SettingsError
from shared.sessions import new_session
from tests.e2e.command import SAMPLE
from tests.servers import free_port
from tests.stores import served

PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    """A fusion service that has judged the sample.

    Attributes:
        url: Where it answers.
        mien: The services.
    """

    url: str
    mien: Embedded

    def played(self) -> tuple[str, str]:
        """Judge a part of the sample, and return the session's id and token."""
        started, token = new_session([Modality.FACE])
        self.mien.play(FileSource(SAMPLE, 1.0, audio=False), started)
        return started.session_id, token


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    settings = FusionSettings(fusion_api_keys=(hashlib.sha256(b"key").hexdigest(),))
    with Embedded([Modality.FACE]) as mien, served(mien.api(settings)) as url:
        yield Service(url, mien)


def until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE_S
    while not is_so():
        assert monotonic() < deadline
        Event().wait(0.05)


def test_the_mood_comes_while_it_goes_on_and_the_result_when_it_is_complete(service: Service) -> None:
    session_id, token = service.played()
    with closing(HttpReadout(service.url, session_id, token)) as readout:
        until(lambda: readout.latest() is not None)
        assert readout.note is None
        assert readout.result() == service.mien.result(session_id)


def test_it_erases_and_says_so(service: Service) -> None:
    session_id, token = service.played()
    service.mien.result(session_id)  # all of it is there to be erased
    with closing(HttpReadout(service.url, session_id, token)) as readout:
        assert "20 pieces of evidence" in readout.erase()
        assert service.mien.summary(session_id) is None
        with pytest.raises(SessionError, match="not erased"):
            readout.erase()


def test_why_there_is_no_mood_is_said(service: Service) -> None:
    session_id, _ = service.played()
    with closing(HttpReadout(service.url, session_id, "another")) as stranger:
        until(lambda: "no such session" in (stranger.note or ""))
        assert stranger.latest() is None
    with closing(HttpReadout(f"http://127.0.0.1:{free_port()}", session_id, "any")) as nobody:
        until(lambda: "does not answer" in (nobody.note or ""))
        with pytest.raises(SessionError, match="does not answer"):
            nobody.erase()


@pytest.mark.parametrize(
    "url", ["fusion.example:8000", "ftp://fusion.example", "http://", "http://fusion.example:80000", "http://[::1"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="http"):
        HttpReadout(url, "session-0001", "token")


def test_without_an_address_there_is_nothing_to_ask() -> None:
    readout = NoReadout()
    assert readout.latest() is None
    assert readout.result() is None
    with pytest.raises(SessionError, match="--api"):
        readout.erase()
