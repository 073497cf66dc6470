"""The commands that record, and their help. What each does lies in the module of its name."""

from typing import Annotated, Literal

import typer

from services.cli import options
from shared.emotions import Modality
from shared.errors import SettingsError

app = typer.Typer()


@app.command()
def devices(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array instead of a table.")] = False,
) -> None:
    """List the microphones and cameras of this machine.

    **mien live** and **mien capture** take them by name: --microphone NAME, --camera NAME; a part of a name is enough.
    """
    from services.cli.devices import show_devices

    show_devices(as_json=json)


@app.command()
def live(
    *,
    microphone: options.Microphone = None,
    camera: options.Camera = None,
    no_microphone: options.NoMicrophone = False,
    no_camera: options.NoCamera = False,
    fps: options.Fps = 5.0,
    modality: options.Judged = None,
    consent: options.Consent = False,
    purpose: options.ForWhat = None,
    window: options.InWindow = False,
    no_browser: options.NoBrowser = False,
    port: options.Port = 0,
) -> None:
    """See your mood as you speak: microphone, camera, every service and the dashboard in this one process.

    Nothing leaves this machine, nothing is written to its disk, and everything is gone when it ends. Before anything is
    recorded you are told what is, and asked.

    While it runs, one key does it: **p** pause, **m** mute, **f** forget the last minute, **d** delete the session
    (asks first), **q** or Ctrl+C end. At the end comes the result card.
    """
    from services.cli.choice import SourceChoice
    from services.cli.live import LiveRequest
    from services.cli.live import live as record

    ear, eye = _device(microphone, "microphone", off=no_microphone), _device(camera, "camera", off=no_camera)
    record(
        LiveRequest(
            choice=SourceChoice(microphone=ear, camera=eye, fps=fps),
            consent=consent,
            purpose=purpose,
            modalities=modality or None,
            port=port,
            browser=not no_browser,
            window=window,
        )
    )


@app.command()
def capture(
    *,
    file: options.File = None,
    url: options.Url = None,
    stdin: options.Stdin = False,
    rate: options.Rate = 16_000,
    realtime: options.Realtime = False,
    microphone: options.Microphone = None,
    camera: options.Camera = None,
    no_microphone: options.NoMicrophone = False,
    no_camera: options.NoCamera = False,
    fps: options.Fps = 5.0,
    modality: options.Judged = None,
    broker: options.BrokerUrl = None,
    local: options.Local = None,
    session: options.Session = None,
    retention: options.Retention = None,
    consent: options.Consent = False,
    purpose: options.ForWhat = None,
    api: options.ApiUrl = None,
    window: options.InWindow = False,
) -> None:
    """Run the agent alone: cut speech, sample pictures, and publish both to a broker, for workers elsewhere to score.

    Before anything is recorded you are told what is, where it goes and for how long, and asked; scripts say --consent
    and --purpose. Keys while it runs: **p** pause, **m** mute, **f** forget the last minute, **d** delete the session
    (with --api; asks first), **q** or Ctrl+C end.

    The broker's account needs no right but to write to the exchange mien.media. Its password comes from AMQP_URL,
    AMQP_PASSWORD or the keyring (**keyring set mien USER@HOST**), and that of a --url or a camera's URL from
    STREAM_PASSWORD or the keyring. With amqps:// the server's certificate is always
    checked, against AMQP_CA_FILE where that is set.

    At the end, and where something fails, it prints the session's id and token (shown once; keep it), as JSON where
    standard output is no terminal.
    """
    from services.cli.capture import CaptureRequest
    from services.cli.capture import capture as record
    from services.cli.choice import SourceChoice

    ear, eye = _device(microphone, "microphone", off=no_microphone), _device(camera, "camera", off=no_camera)
    record(
        CaptureRequest(
            choice=SourceChoice(file, url, stdin, rate, ear, eye, realtime, fps),
            broker_url=broker, api_url=api, session_id=session, consent=consent, purpose=purpose, window=window,
            retention_s=None if retention is None else round(retention * 3600), modalities=modality or None,
            local=_modalities(local),
        )
    )  # fmt: skip


def _device(name: str | None, kind: str, *, off: bool) -> str | Literal[False] | None:
    if off and name is not None:
        raise SettingsError(f"--{kind} and --no-{kind} contradict each other; leave one out.")
    return False if off else name


def _modalities(text: str | None) -> tuple[Modality, ...]:
    names = [name.strip() for name in text.split(",")] if text else []
    unknown = [name for name in names if name not in set(Modality)]
    if unknown:
        raise SettingsError(f"--local does not know {unknown[0]!r}; give text, audio or face, with commas between.")
    return tuple(Modality(name) for name in names)
