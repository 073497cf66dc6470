"""The options of the commands that record, each with its help."""

from pathlib import Path
from typing import Annotated, Final

import typer

from shared.emotions import Modality
from shared.messages.session import DEFAULT_RETENTION_S, MAX_RETENTION_S, Purpose

_SOURCE: Final = "What is recorded (default: microphone and camera)"
_CONSENT: Final = "Consent"
_WHERE: Final = "Where it goes"
_SHOWN: Final = "What is shown"

File = Annotated[Path | None, typer.Option(metavar="FILE", help="A video or sound file.", rich_help_panel=_SOURCE)]
Url = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="A network stream: rtsp, http(s), rtmp, udp, srt, tcp. A user's password comes from STREAM_PASSWORD.",
        rich_help_panel=_SOURCE,
    ),
]
Stdin = Annotated[
    bool,
    typer.Option(
        "--stdin", help="Raw sound on standard input: signed 16-bit little-endian, mono.", rich_help_panel=_SOURCE
    ),
]
Rate = Annotated[
    int, typer.Option(min=8_000, max=192_000, help="Sampling rate of --stdin, in Hz.", rich_help_panel=_SOURCE)
]
Realtime = Annotated[
    bool,
    typer.Option("--realtime", help="Play a --file at real time, as if it happened now.", rich_help_panel=_SOURCE),
]
Microphone = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="This microphone: its name or a part of it.", rich_help_panel=_SOURCE),
]
Camera = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="This camera: its name, path or URL.", rich_help_panel=_SOURCE),
]
NoMicrophone = Annotated[bool, typer.Option("--no-microphone", help="Record no sound.", rich_help_panel=_SOURCE)]
NoCamera = Annotated[bool, typer.Option("--no-camera", help="Record no pictures.", rich_help_panel=_SOURCE)]
Fps = Annotated[float, typer.Option(min=0.1, max=30, help="Frames sent a second, at most.", rich_help_panel=_SOURCE)]
Judged = Annotated[
    list[Modality] | None,
    typer.Option(
        "--modality",
        "-m",
        help="Judge this alone; may be given more than once. Default: all that the source gives.",
        rich_help_panel=_SOURCE,
    ),
]
BrokerUrl = Annotated[
    str | None,
    typer.Option(
        metavar="AMQP_URL",
        help="Where to publish: amqps://USER@HOST, or amqp:// without encryption; never with a password in it. "
        "Default: AMQP_URL.",
        rich_help_panel=_WHERE,
    ),
]
Local = Annotated[
    str | None,
    typer.Option(
        metavar="MODALITIES",
        help="Judge these on this machine, for example **face,audio**: only their scores travel, no picture or sound "
        "for them.",
        rich_help_panel=_WHERE,
    ),
]
Session = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="Publish into a session made with POST /v1/sessions; its token comes from MIEN_SESSION_TOKEN.",
        rich_help_panel=_WHERE,
    ),
]
Retention = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        max=MAX_RETENTION_S / 3600,
        metavar="HOURS",
        help=f"Erase the result after so many hours (default: {DEFAULT_RETENTION_S / 3600:g}). Not with --session, "
        "which has its own.",
        rich_help_panel=_CONSENT,
    ),
]
Consent = Annotated[
    bool,
    typer.Option(
        "--consent", help="State that everyone recorded has agreed, and do not ask.", rich_help_panel=_CONSENT
    ),
]
ForWhat = Annotated[
    Purpose | None,
    typer.Option(help="What it is for; education and workplace are refused.", rich_help_panel=_CONSENT),
]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The fusion service, for the live mood, the result card and deleting the session.",
        rich_help_panel=_SHOWN,
    ),
]
InWindow = Annotated[
    bool,
    typer.Option(
        "--window", help="Show a small window with the picture that is sent and buttons.", rich_help_panel=_SHOWN
    ),
]
NoBrowser = Annotated[
    bool,
    typer.Option("--no-browser", help="Do not open the dashboard; its link is printed.", rich_help_panel=_SHOWN),
]
Port = Annotated[
    int,
    typer.Option(
        min=0, max=65535, help="The dashboard's port on this machine; 0 takes a free one.", rich_help_panel=_SHOWN
    ),
]
