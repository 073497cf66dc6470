"""What a person sees while a session runs: pure, from one look at it to a panel or a line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.capture.status import CaptureStatus, Counts, Link
from services.cli.card import mood_scale, mood_style
from services.fusion.labels import tenths
from services.fusion.schema import SessionSummary
from shared.emotions import Modality

QUESTION: Final = "Delete everything about this session?"
_METER_CELLS: Final = 24
_METER_FLOOR_DBFS: Final = -60.0
_LINKS: Final[Mapping[Link, str]] = {
    "connected": "connected",
    "blocked": "connected, but it takes nothing now",
    "away": "away",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One look at a session under way.

    Attributes:
        status: What the agent says.
        hears: Whether sound is recorded at all.
        sees: Whether pictures are recorded at all.
        remote: Whether it goes to a broker elsewhere; otherwise everything is judged in this process.
        total_s: Length of a recording in seconds; None where it happens now.
        summary: The newest result so far, or None.
        face: Whether a face was seen last; None where nobody knows.
        note: Why there is no result, or None.
        notice: What was just done, or None.
        asks: Whether it waits for an answer: :data:`QUESTION`.
        keys: What may be pressed, and what it does.
        ending: Whether it is being ended: what was said last is on its way.
    """

    status: CaptureStatus
    hears: bool
    sees: bool
    remote: bool
    total_s: float | None
    summary: SessionSummary | None
    face: bool | None
    note: str | None
    notice: str | None
    asks: bool
    keys: Mapping[str, str]
    ending: bool


def panel(view: View) -> RenderableType:
    """Return the whole view."""
    rest: list[RenderableType] = [_table(view)]
    for words, style in ((view.status.problem, "yellow"), (view.notice, "bold")):
        if words is not None:
            rest.append(Text(words, style=style))
    if view.asks:
        rest.append(Text(f"{QUESTION} [y] yes, any other key: no", style="bold yellow"))
    elif view.keys:
        rest.append(Text("  ".join(f"[{key}] {what}" for key, what in view.keys.items()), style="dim"))
    return Panel(Group(*rest), title=sign(view), title_align="left", box=box.ROUNDED, border_style=sign_style(view))


def line(view: View) -> str:
    """Return the view as one line, where there is no terminal to draw on."""
    status = view.status
    parts = [sign_words(view)]
    parts += [f"{name}: {counts_words(counts)}" for name, counts in _sent(view).items()]
    if view.remote:
        parts.append(f"broker {link_words(view)}")
    if view.summary is not None and view.summary.mood is not None:
        mood = view.summary.mood
        parts.append(f"mood {tenths(mood.score)} ({tenths(mood.low)} to {tenths(mood.high)})")
    if status.problem is not None:
        parts.append(status.problem)
    return " · ".join(parts)


def sign(view: View) -> Text:
    """Return the sign that something is recorded, or that nothing is."""
    return Text(f" {sign_words(view)} ", style=f"bold {sign_style(view)}")


def sign_words(view: View) -> str:
    """Return the sign in words, with the time."""
    at = clock(view.status.elapsed_s)
    if view.total_s is not None:
        return f"{'ENDING' if view.ending else '▶ PUBLISHING'} {at} of {clock(view.total_s)}"
    if view.ending:
        return f"ENDING {at}"
    if _is_connecting(view):
        return "CONNECTING"
    if view.status.paused:
        return f"‖ PAUSED {at}"
    return f"● RECORDING{' WITHOUT SOUND' if view.status.muted else ''} {at}"


def sign_style(view: View) -> str:
    """Return the colour of the sign: red while something is recorded."""
    is_on = view.total_s is None and not (view.ending or view.status.paused or _is_connecting(view))
    return "red" if is_on else "yellow"


def _is_connecting(view: View) -> bool:
    """Return whether the session is not announced yet: nothing is recorded before that."""
    return view.status.elapsed_s == 0 and view.status.link == "away"


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def meter(level_dbfs: float | None, cells: int) -> int:
    """Return how many of a meter's cells a level fills; none at -60 dBFS and below."""
    if level_dbfs is None:
        return 0
    return round(cells * min(1.0, max(0.0, 1 - level_dbfs / _METER_FLOOR_DBFS)))


def counts_words(counts: Counts) -> str:
    """Say what became of one kind of chunk."""
    return f"{counts.sent} sent, {counts.waiting} waiting, {counts.dropped} dropped"


def link_words(view: View) -> str:
    """Say how the broker can be reached, and what happens meanwhile."""
    words = _LINKS[view.status.link]
    if view.status.link == "connected":
        return words
    if view.total_s is not None:
        return f"{words}; the recording waits"
    return f"{words}; up to {view.status.keep_minutes:g} minutes of speech are kept"


def face_words(view: View) -> Text:
    """Say whether a face is seen."""
    if view.status.paused:
        return Text("off", style="dim")
    if view.face is None:
        return Text("on", style="bright_blue")
    return Text("face seen", style="bright_blue") if view.face else Text("no face seen", style="yellow")


def face_seen(before: SessionSummary | None, now: SessionSummary | None) -> bool | None:
    """Say whether the frames that were judged between two results showed a face; None where none was judged."""
    face = now.modalities.get(Modality.FACE) if now else None
    if face is None:
        return None
    earlier = before.modalities.get(Modality.FACE) if before else None
    scored = face.scored - (earlier.scored if earlier else 0)
    abstained = face.abstained - (earlier.abstained if earlier else 0)
    return scored > 0 if scored > 0 or abstained > 0 else None


def _table(view: View) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    if view.hears:
        table.add_row("sound", _sound(view.status))
    if view.sees:
        table.add_row("picture", face_words(view))
    table.add_row("mood", _mood(view))
    if view.remote:
        style = "bright_blue" if view.status.link == "connected" else "yellow"
        table.add_row("broker", Text(link_words(view), style=style))
    else:
        table.add_row("goes to", Text("nowhere: everything is judged in this process", style="bright_blue"))
    for name, counts in _sent(view).items():
        table.add_row(name, _counts(counts))
    return table


def _sent(view: View) -> dict[str, Counts]:
    """Return what became of each kind of chunk that is recorded."""
    kinds = {"speech": (view.hears, view.status.speech), "frames": (view.sees, view.status.frames)}
    return {name: counts for name, (is_read, counts) in kinds.items() if is_read}


def _sound(status: CaptureStatus) -> Text:
    if status.level_dbfs is None:
        return Text("muted" if status.muted else "off", style="dim")
    filled = meter(status.level_dbfs, _METER_CELLS)
    bar = Text("▮" * filled, style="bright_blue").append("▯" * (_METER_CELLS - filled), style="dim")
    bar.append(f" {status.level_dbfs:4.0f} dBFS  ", style="dim")
    return bar.append("speech" if status.speaking else "", style="bold bright_blue")


def _mood(view: View) -> RenderableType:
    mood = view.summary.mood if view.summary else None
    if mood is None:
        return Text(view.note or "not enough evidence yet", style="dim")
    head = Text.assemble((tenths(mood.score), f"bold {mood_style(mood.score)}"), " of 5   ", mood.label)
    return Group(head, mood_scale(mood.score, mood.low, mood.high))


def _counts(counts: Counts) -> Text:
    text = Text(counts_words(counts))
    if counts.dropped:
        text.stylize("yellow")
    return text
