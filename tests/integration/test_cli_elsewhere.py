"""A recording whose session is ended or deleted elsewhere, in the dashboard for example: it stops, and says so."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from threading import Thread

import httpx
import pytest
from rich.console import Console

from services.capture.sources.file import FileSource
from services.cli.live import StoreReadout
from services.cli.readout import HttpReadout
from services.cli.recording import Recording
from services.cli.show import Ending, run
from services.embedded import Embedded
from services.fusion.settings import FusionSettings
from shared.emotions import Modality
from shared.errors import SessionError
from shared.sessions import new_session
from tests.capture_session import until
from tests.e2e.command import SAMPLE
from tests.servers import free_port
from tests.stores import served

SAMPLE_S = 12.0


@dataclass(frozen=True, slots=True)
class Service:
    """The services of one process, which answer over HTTP too.

    Attributes:
        url: Where they answer.
        mien: The services.
    """

    url: str
    mien: Embedded

    def record_until(self, act: Callable[[httpx.Client, str], object], *, over_http: bool) -> tuple[Ending, str]:
        """Record, let somebody act on the session once it has a result, and return how it ended and what was shown."""
        started, token = new_session([Modality.FACE])
        console = Console(file=StringIO(), width=200)
        path = f"{self.url}/v1/sessions/{started.session_id}"
        readout = (
            HttpReadout(self.url, started.session_id, token)
            if over_http
            else StoreReadout(self.mien, started.session_id)
        )
        source = FileSource(SAMPLE, realtime=True, audio=False)
        recording = Recording(self.mien.agent(started, live=True), source, readout, live=True, remote=over_http)

        def act_elsewhere() -> None:
            until(lambda: readout.latest() is not None, "a result")
            with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
                act(client, path)

        person = Thread(target=act_elsewhere)
        person.start()
        with closing(readout):
            ending = run(recording, readout, console, window=False, has_keys=False)
        person.join()
        assert isinstance(console.file, StringIO)
        return ending, console.file.getvalue()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    settings = FusionSettings(fusion_api_keys=(hashlib.sha256(b"key").hexdigest(),))
    with Embedded([Modality.FACE]) as mien, served(mien.api(settings)) as url:
        yield Service(url, mien)


@pytest.mark.parametrize("over_http", [False, True])
def test_a_session_that_is_ended_elsewhere_stops_the_recording(service: Service, *, over_http: bool) -> None:
    ending, shown = service.record_until(
        lambda api, path: api.post(f"{path}/end").raise_for_status(), over_http=over_http
    )
    assert "ended elsewhere" in shown
    assert ending.ended.duration_s < SAMPLE_S - 1
    assert not ending.deleted
    assert ending.result is not None


@pytest.mark.timeout(50)
@pytest.mark.parametrize("over_http", [False, True])
def test_a_session_that_is_deleted_elsewhere_stops_the_recording_without_a_failure(
    service: Service, *, over_http: bool
) -> None:
    ending, shown = service.record_until(lambda api, path: api.delete(path).raise_for_status(), over_http=over_http)
    assert "deleted elsewhere" in shown
    assert ending.ended.duration_s < SAMPLE_S - 1
    assert ending.deleted
    assert ending.result is None


@pytest.mark.timeout(50)
def test_nobody_waits_for_the_result_of_an_erased_session(service: Service) -> None:
    started, _ = new_session([Modality.FACE])
    service.mien.begin(started, owner="0" * 64)
    service.mien.erase(started.session_id)
    with pytest.raises(SessionError, match="no session"):
        service.mien.result(started.session_id)


def test_a_service_that_does_not_answer_is_no_session_that_is_gone(service: Service) -> None:
    started, token = new_session([Modality.FACE])
    service.mien.begin(started, owner="0" * 64)
    with closing(HttpReadout(service.url, started.session_id, token)) as readout:
        until(lambda: readout.latest() is not None, "a result")
        readout._parts = readout._parts._replace(netloc=f"127.0.0.1:{free_port()}")
        until(lambda: "does not answer" in (readout.note or ""), "told that nobody answers")
        assert not readout.gone
