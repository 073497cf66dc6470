"""``mien capture``: the agent alone, publishing to a broker somewhere else."""

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from services.capture.agent import Agent
from services.capture.sources.file import FileSource
from shared.broker.rabbitmq import RabbitMqBroker
from shared.emotions import Modality
from shared.errors import SettingsError
from shared.messages.session import Purpose
from shared.sessions import hears, new_session, refusal_of, sees
from shared.settings import BrokerSettings
from shared.topology import TOPOLOGY


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRequest:
    """What to capture, and what the person has said about it.

    Attributes:
        file: The recording.
        session_id: The session that it belongs to, or None for a new one.
        consent: Whether everyone recorded has agreed.
        purpose: What it is for.
        modalities: What they agreed to.
    """

    file: Path
    session_id: str | None
    consent: bool
    purpose: Purpose
    modalities: Sequence[Modality]

    def check(self) -> None:
        """Refuse what may not be captured.

        Raises:
            SettingsError: If consent is not stated, or the purpose is not an allowed one.
        """
        if not self.consent:
            raise SettingsError(
                "Voices, words and faces will be sent to the broker and scored. "
                "If everyone recorded has agreed to that, say so with --consent."
            )
        refusal = refusal_of(self.purpose)
        if refusal is not None:
            raise SettingsError(refusal)


def capture_file(request: CaptureRequest, *, broker_url: str | None, realtime: bool, fps: float) -> None:
    """Publish a recording and print the session's id and token, and what was published.

    Args:
        request: What to capture.
        broker_url: Where to publish; None for the environment's ``AMQP_URL``.
        realtime: Whether to play at real time, as a live source would.
        fps: Frames sent a second.

    Raises:
        SettingsError: If it may not be captured.
        BadInputError: If the file is not media that can be read.
        BrokerError: If the broker cannot be reached.
    """
    request.check()
    source = FileSource(
        request.file, fps, realtime=realtime, audio=hears(request.modalities), video=sees(request.modalities)
    )
    started, token = new_session(
        request.modalities,
        request.purpose,
        session_id=request.session_id,
        token=os.environ.get("MIEN_SESSION_TOKEN"),
    )
    broker = RabbitMqBroker(BrokerSettings(url=SecretStr(broker_url)) if broker_url else BrokerSettings())
    columns = (TextColumn("Publishing"), BarColumn(), TaskProgressColumn())
    try:
        broker.declare(TOPOLOGY)
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=source.duration_s)
            agent = Agent(
                broker, started, on_progress=lambda now: bar.update(task, completed=now.done_s), live=realtime
            )
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: agent.stop())
            ended = agent.run(source)
    finally:
        broker.close()
    if source.damaged:
        typer.echo("mien: the recording is damaged; what could be read of it was published.", err=True)
    typer.echo(json.dumps({**ended.model_dump(mode="json"), "token": token}))
