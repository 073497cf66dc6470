"""``mien capture``: the agent alone, publishing to a broker somewhere else."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

import typer
from rich.console import Console

from services.capture.agent import Agent
from services.capture.sources.file import FileSource
from services.cli.card import result_card
from services.cli.choice import OpenedSource, SourceChoice, open_source
from services.cli.consent import Agreement, Disclosure, agree, may_ask
from services.cli.credentials import broker_settings, place_of
from services.cli.local import LocalBroker, loaders_of
from services.cli.readout import HttpReadout, NoReadout, Readout
from services.cli.recording import Recording
from services.cli.show import Ending, require_window, run
from services.cli.terminal import steady_console, unless_hung_up
from shared.broker.port import Broker
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import Modality
from shared.errors import BrokerError, PublishError, SettingsError
from shared.log import configure_logging
from shared.messages.session import DEFAULT_RETENTION_S, Purpose
from shared.sessions import check_session_id, new_session
from shared.settings import BrokerSettings
from shared.tracing import configure_tracing

_VARIABLE: Final = "MIEN_SESSION_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRequest:
    """What to capture, and what the person has said about it.

    Attributes:
        choice: The source.
        broker_url: Where to publish, without a password; None for the environment's ``AMQP_URL``.
        api_url: The fusion service, which shows the mood and can erase; None for none.
        session_id: The session that it belongs to, or None for a new one.
        consent: Whether everyone recorded has agreed.
        purpose: What it is for; None where it was not said.
        retention_s: Seconds after which everything found out is erased; None for the default of a new session.
        modalities: What they agreed to; None for all that the source gives.
        local: What is judged on this machine, so that only its scores travel.
        window: Whether to show a window instead of the view in the terminal.
    """

    choice: SourceChoice
    broker_url: str | None
    api_url: str | None
    session_id: str | None
    consent: bool
    purpose: Purpose | None
    retention_s: int | None
    modalities: Sequence[Modality] | None
    local: Sequence[Modality] = ()
    window: bool = False


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What opens a session, and erases it.

    Attributes:
        session_id: The session.
        token: What its person holds; it is nowhere else.
        api_url: The fusion service; None for none.
    """

    session_id: str
    token: str
    api_url: str | None

    @property
    def link(self) -> str | None:
        """What opens it in the dashboard; the fragment stays in the browser."""
        if self.api_url is None:
            return None
        return f"{self.api_url.rstrip('/')}/#session={self.session_id}&token={self.token}"


def capture(request: CaptureRequest) -> None:
    """Publish a source until it ends or the person ends it, and print what became of it.

    Raises:
        SettingsError: If it may not be captured, or a setting makes no sense.
        BadInputError: If the source cannot be read.
        BrokerError: If the broker cannot be reached.
    """
    configure_tracing("agent")
    token = _token_of(request)
    if request.window:
        require_window()
    with steady_console() as console:
        configure_logging("mien", "ERROR")
        _capture(request, token, console)


def _capture(request: CaptureRequest, token: str | None, console: Console) -> None:
    opened = open_source(request.choice, request.modalities)
    local = tuple(each for each in opened.modalities if each in request.local)
    settings = broker_settings(request.broker_url)
    disclosure = Disclosure(
        sources=opened.words,
        modalities=opened.modalities,
        local=local,
        place=f"RabbitMQ at {place_of(settings)}",
        kept=f"sound and pictures until they are judged; the result and its evidence {_kept_for(request)}",
        live=opened.live,
        can_erase=request.api_url is not None,
    )
    said = Agreement(consent=request.consent, purpose=request.purpose, may_ask=may_ask() and not request.choice.stdin)
    purpose = agree(disclosure, said, console)
    started, token = new_session(
        opened.modalities,
        purpose,
        retention_s=request.retention_s or DEFAULT_RETENTION_S,
        session_id=request.session_id,
        token=token,
    )
    readout = _readout(request.api_url, started.session_id, token)
    with closing(readout), _broker(settings, local, console) as broker:
        agent = Agent(broker, started, live=opened.live)
        recording = Recording(agent, opened.source, readout, live=opened.live, remote=True)
        key = SessionKey(started.session_id, token, request.api_url)
        with _kept(key, agent):
            ending = run(recording, readout, console, window=request.window, has_keys=not request.choice.stdin)
    with unless_hung_up():
        _tell(opened, ending, key)


def _token_of(request: CaptureRequest) -> str | None:
    """Return the token of the session that is named; None for a new session, which gets one of its own.

    Raises:
        SettingsError: If there is none, or what is named cannot be one that exists.
    """
    if request.session_id is None:
        return None
    check_session_id(request.session_id)
    if request.retention_s is not None:
        raise SettingsError("A session that exists keeps its own retention; leave out --retention or --session.")
    token = os.environ.get(_VARIABLE)
    if not token:
        raise SettingsError(
            f"Without its token nobody could open what is sent into the session; set {_VARIABLE} to the token "
            "that POST /v1/sessions gave, or leave out --session for a new session."
        )
    return token


def _kept_for(request: CaptureRequest) -> str:
    if request.session_id is not None:
        return "as the session was made with"
    return f"{(request.retention_s or DEFAULT_RETENTION_S) / 3600:g} h"


def _readout(api_url: str | None, session_id: str, token: str) -> Readout:
    return NoReadout() if api_url is None else HttpReadout(api_url, session_id, token)


@contextmanager
def _kept(key: SessionKey, agent: Agent) -> Iterator[None]:
    """Print the key of a session that is there also where something fails: nobody else has it."""
    try:
        yield
    except BaseException as error:
        if agent.announced:
            with unless_hung_up():
                _hand_over(key)
        if not isinstance(error, PublishError):
            raise
        raise BrokerError(
            f"The broker takes nothing ({error}); start the fusion service and a worker for each modality, "
            "which make their queues there."
        ) from None


@contextmanager
def _broker(settings: BrokerSettings, local: Sequence[Modality], console: Console) -> Iterator[Broker]:
    loaders = loaders_of(local)
    remote = RabbitMqBroker(settings)
    broker: Broker = remote
    try:
        if loaders:
            with console.status("Loading the models"):
                broker = LocalBroker(remote, loaders)
        yield broker
    finally:
        broker.close()


def _tell(opened: OpenedSource, ending: Ending, key: SessionKey) -> None:
    """Say what became of the session: in words at a terminal, else as one JSON object."""
    if isinstance(opened.source, FileSource) and opened.source.damaged:
        typer.echo("mien: the recording is damaged; what could be read of it was published.", err=True)
    if not sys.stdout.isatty():
        said = {**ending.ended.model_dump(mode="json"), "token": key.token, "deleted": ending.deleted}
        typer.echo(json.dumps(said))
        return
    if ending.result is not None:
        Console(highlight=False).print(result_card(ending.result))
    if not ending.deleted:
        _hand_over(key)


def _hand_over(key: SessionKey) -> None:
    """Print what opens and erases the session: in words at a terminal, else as one JSON object."""
    if not sys.stdout.isatty():
        typer.echo(json.dumps({"session_id": key.session_id, "token": key.token}))
        return
    out = Console(highlight=False)
    out.print(f"[bold]session[/] {key.session_id}   [bold]token[/] {key.token}   (shown once; keep it)", soft_wrap=True)
    if key.link is not None:
        out.print(f"[bold]result[/]  {key.link}", soft_wrap=True)
