"""``mien live``: microphone and camera, every service and the dashboard, in one process."""

import hashlib
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from threading import Thread

from rich.console import Console

from services.cli import browser
from services.cli.card import result_card
from services.cli.choice import SourceChoice, open_source
from services.cli.consent import Agreement, Disclosure, agree, may_ask
from services.cli.keyboard import open_keyboard
from services.cli.recording import Recording
from services.cli.serve import LOOPBACK, listen
from services.cli.show import require_window, run
from services.cli.terminal import steady_console, unless_hung_up
from services.embedded import Embedded
from services.fusion.api import Server
from services.fusion.schema import SessionResult, SessionSummary
from services.fusion.settings import FusionSettings
from shared.emotions import Modality
from shared.errors import SessionError
from shared.log import configure_logging
from shared.messages.session import Purpose
from shared.sessions import new_session


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """What to record, and what the person has said about it.

    Attributes:
        choice: Which microphone and camera.
        consent: Whether everyone recorded has agreed.
        purpose: What it is for; None where it was not said.
        modalities: What they agreed to; None for all that the devices give.
        port: Where the dashboard listens, on loopback alone; 0 takes a free port.
        browser: Whether to open the dashboard in the browser.
        window: Whether to show a window instead of the view in the terminal.
    """

    choice: SourceChoice
    consent: bool
    purpose: Purpose | None
    modalities: Sequence[Modality] | None
    port: int
    browser: bool
    window: bool


class StoreReadout:
    """What the services in this process know of one session.

    Args:
        mien: The services.
        session_id: The session.
    """

    can_erase = True
    note: str | None = None

    def __init__(self, mien: Embedded, session_id: str) -> None:
        self._mien = mien
        self._session_id = session_id

    @property
    def gone(self) -> bool:
        """Whether the session is not there any more."""
        return self._mien.gone(self._session_id)

    def latest(self) -> SessionSummary | None:
        """Return the newest result so far."""
        return self._mien.summary(self._session_id)

    def result(self) -> SessionResult | None:
        """Wait until every chunk is accounted for, and return the result; None where the session is gone."""
        try:
            return self._mien.result(self._session_id)
        except SessionError:
            if not self.gone:
                raise
            return None

    def erase(self) -> str:
        """Erase everything about the session, and say so."""
        return f"The session is erased: {self._mien.erase(self._session_id).evidence} pieces of evidence."

    def close(self) -> None:
        """Do nothing."""


def live(request: LiveRequest) -> None:
    """Record until the person ends it, and print the result card and the link to the session.

    Raises:
        SettingsError: If it may not be recorded, or the port is taken.
        BadInputError: If a device is missing.
        WeightsError: If weights are missing or altered.
    """
    if request.window:
        require_window()
    with steady_console() as console:
        configure_logging("mien", "ERROR")
        _live(request, console)


def _live(request: LiveRequest, console: Console) -> None:
    opened = open_source(request.choice, request.modalities)
    disclosure = Disclosure(
        sources=opened.words,
        modalities=opened.modalities,
        place=None,
        kept="sound and pictures until they are judged; the result in this process, until it ends",
        live=True,
        can_erase=True,
    )
    said = Agreement(consent=request.consent, purpose=request.purpose, may_ask=may_ask())
    started, token = new_session(opened.modalities, agree(disclosure, said, console))
    with listen(request.port) as bound, _services(opened.modalities, console) as mien:
        key = secrets.token_urlsafe(24)
        mien.begin(started, owner=_digest(key))
        with _dashboard(mien, key, bound):
            link = f"http://{LOOPBACK}:{bound.getsockname()[1]}/#key={key}&session={started.session_id}&token={token}"
            console.print(f"The dashboard: {link}", soft_wrap=True)
            readout = StoreReadout(mien, started.session_id)
            recording = Recording(mien.agent(started, live=True), opened.source, readout, live=True, remote=False)
            with browser.opened(link) if request.browser else nullcontext():
                ending = run(recording, readout, console, window=request.window, has_keys=True)
            if ending.result is not None:
                with unless_hung_up():
                    Console().print(result_card(ending.result))
                console.print(f"The session: {link}", soft_wrap=True)
            if not ending.deleted and not request.window:
                _stay(console)


@contextmanager
def _services(modalities: tuple[Modality, ...], console: Console) -> Iterator[Embedded]:
    mien = Embedded(modalities)
    with console.status("Loading the models"):
        mien.__enter__()
    try:
        yield mien
    finally:
        mien.__exit__(None, None, None)


@contextmanager
def _dashboard(mien: Embedded, key: str, bound: socket.socket) -> Iterator[None]:
    server = Server(mien.api(FusionSettings(fusion_api_keys=(_digest(key),))))
    thread = Thread(target=server.run, args=([bound],), name="dashboard", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _stay(console: Console) -> None:
    """Leave the dashboard open until a key is pressed, where there is somebody to press one."""
    keyboard = open_keyboard()
    if keyboard is None or not may_ask():
        return
    with suppress(KeyboardInterrupt, OSError), keyboard:
        console.print("Everything is gone when this ends. Press any key to end it.", style="dim")
        while keyboard.press(1.0) is None:
            continue


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
