"""What a person is told before anything is recorded, and how they agree to it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.prompt import Confirm, Prompt
from rich.table import Table
from rich.text import Text

from shared.emotions import Modality
from shared.errors import SettingsError
from shared.messages.session import Purpose
from shared.sessions import hears, refusal_of, sees

_READ: Final[dict[Modality, str]] = {
    Modality.TEXT: "the words that are spoken",
    Modality.AUDIO: "the tone of the voice",
    Modality.FACE: "the look of the face",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What is about to happen, for the person who is to agree to it.

    Attributes:
        sources: What is recorded, in words.
        modalities: What is judged.
        local: What of that is judged on this machine, so that only its scores travel.
        place: Where the rest goes, in words; None where nothing leaves this machine.
        kept: How long what is found out is kept, in words.
        live: Whether it happens now, so that it can be paused.
        can_erase: Whether the session can be deleted from here.
    """

    sources: Sequence[str]
    modalities: Sequence[Modality]
    local: Sequence[Modality] = ()
    place: str | None
    kept: str
    live: bool
    can_erase: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the command line says of consent.

    Attributes:
        consent: Whether everyone recorded has agreed.
        purpose: What it is for; None where it was not said.
        may_ask: Whether a person can be asked at the terminal.
    """

    consent: bool
    purpose: Purpose | None
    may_ask: bool


def agree(disclosure: Disclosure, said: Agreement, console: Console) -> Purpose:
    """Return what the recording is for, once it is agreed to: by option, or by answering at the terminal.

    Args:
        disclosure: What is about to happen; shown unless consent is stated already.
        said: What the command line says.
        console: Where to ask.

    Raises:
        SettingsError: If nobody agrees, or the purpose is not an allowed one.
    """
    _check(said.purpose)
    if said.consent:
        return said.purpose or "personal"
    if not said.may_ask:
        raise SettingsError(
            "Voices, words and faces are recorded and judged, and there is no terminal to ask at. "
            "If everyone recorded has agreed to that, say so with --consent, and what it is for with --purpose."
        )
    console.print(consent_screen(disclosure, said.purpose))
    purpose = said.purpose or _ask_purpose(console)
    if not Confirm.ask("Do you, and everyone who may be heard or seen, agree?", console=console, default=False):
        raise SettingsError("Nothing was recorded.")
    return purpose


def may_ask() -> bool:
    """Return whether there is a person at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def consent_screen(disclosure: Disclosure, purpose: Purpose | None) -> RenderableType:
    """Return what is captured, where it goes, for how long, what for where that is said already, and the way out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("recorded", Text("\n".join(disclosure.sources)))
    table.add_row("judged", Text(", ".join(_READ[each] for each in disclosure.modalities)))
    table.add_row("goes to", Text(whereabouts(disclosure)))
    table.add_row("kept", Text(disclosure.kept))
    if purpose is not None:
        table.add_row("purpose", Text(purpose))
    rest = Text(f"A mood is an estimate from outward signs, not a diagnosis. {_way_out(disclosure)}", style="dim")
    return Panel(Group(table, Text(), rest), title="Before anything is recorded", title_align="left", box=box.ROUNDED)


def whereabouts(disclosure: Disclosure) -> str:
    """Say where sound, pictures and scores go."""
    if disclosure.place is None:
        return "nowhere: everything is judged on this machine, and nothing is written to its disk"
    away = [each for each in disclosure.modalities if each not in disclosure.local]
    media = []
    if hears(away):
        media.append("sound of speech")
    if sees(away):
        media.append("pictures")
    if disclosure.local:
        media.append(f"scores of {' and '.join(disclosure.local)}, which are judged on this machine")
    return f"{disclosure.place}: {'; '.join(media)}"


def _way_out(disclosure: Disclosure) -> str:
    ways = ["have the last minute forgotten"]
    if disclosure.live:
        ways = ["pause", "mute", *ways] if hears(disclosure.modalities) else ["pause", *ways]
    if disclosure.can_erase:
        ways.append("delete the session")
    sentence = f"You can {', '.join(ways)} or end it at any time, each by one key."
    return sentence if disclosure.can_erase else f"{sentence} It can be deleted where --api names the fusion service."


def _check(purpose: Purpose | None) -> None:
    refusal = refusal_of(purpose) if purpose is not None else None
    if refusal is not None:
        raise SettingsError(refusal)


def _ask_purpose(console: Console) -> Purpose:
    answer = Prompt.ask("What is it for?", choices=list(get_args(Purpose)), default="personal", console=console)
    purpose: Purpose = next(each for each in get_args(Purpose) if each == answer)
    _check(purpose)
    return purpose
