"""The result card: what a person sees when an analysis is done."""

from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.fusion.labels import said_to_disagree, tenths
from services.fusion.schema import MoodResult, SessionResult
from shared.emotions import MOOD_MAX, MOOD_MIN

_SCALE_CELLS: Final = 41
_NO_ANSWER: Final = {
    "insufficient_evidence": "There is not enough evidence for a mood: too little could be judged.",
}


def result_card(result: SessionResult) -> RenderableType:
    """Return the card of a session: mood, modalities, transcript and accounting."""
    parts: list[RenderableType] = [_mood_panel(result), _modality_table(result)]
    if result.transcript:
        parts.append(_transcript(result))
    parts.append(_accounting(result))
    return Group(*parts)


def mood_style(mood: float) -> str:
    """Return the colour of a mood: blue is low, grey the middle, orange high; told apart without red and green."""
    if mood < 2.5:
        return "dodger_blue1"
    return "orange1" if mood > 3.5 else "grey70"


def _mood_panel(result: SessionResult) -> Panel:
    mood = result.mood
    if mood is None:
        sentence = _NO_ANSWER.get(result.reason or "", f"There is no mood: {result.reason}.")
        return Panel(Text(sentence), title="Mood", title_align="left", box=box.ROUNDED)
    label = mood.label if result.course is None else result.course.label
    if mood.disagreement and "disagree" not in label:
        label += f"; {said_to_disagree(mood.disagreement)}"
    head = Text.assemble((tenths(mood.score), f"bold {mood_style(mood.score)}"), " of 5   ", (label, "bold"))
    interval = Text(f"between {tenths(mood.low)} and {tenths(mood.high)} with 80 % confidence", style="dim")
    return Panel(
        Group(head, mood_scale(mood.score, mood.low, mood.high), interval, Text(_scale_words(mood), style="dim")),
        title="Mood", title_align="left", box=box.ROUNDED,
    )  # fmt: skip


def _scale_words(mood: MoodResult) -> str:
    if mood.absolute is None or mood.usual is None:
        return "absolute"
    return (
        f"relative to this person's usual, which is 3 here; absolute {tenths(mood.absolute)}, "
        f"usual {tenths(mood.usual)}, and what each modality says is absolute"
    )


def mood_scale(score: float, low: float, high: float) -> Text:
    """Return the scale from 1 to 5 with a mood and its interval on it."""

    def cell(mood: float) -> int:
        return round((mood - MOOD_MIN) / (MOOD_MAX - MOOD_MIN) * (_SCALE_CELLS - 1))

    scale = Text("1 ", style="dim")
    for index in range(_SCALE_CELLS):
        if index == cell(score):
            scale.append("●", style=f"bold {mood_style(score)}")
        elif cell(low) <= index <= cell(high):
            scale.append("━", style=mood_style(score))
        else:
            scale.append("─", style="dim")
    return scale.append(" 5", style="dim")


def _modality_table(result: SessionResult) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="What each modality says", title_justify="left", title_style="bold")
    table.add_column("modality")
    table.add_column("mood", justify="right")
    table.add_column("share", justify="right")
    table.add_column("strongest")
    table.add_column("why", overflow="fold")
    for name, modality in result.modalities.items():
        mood = _mood_text(modality.mood)
        strongest = ""
        if modality.distribution is not None:
            emotion, share = max(modality.distribution.items(), key=lambda item: item[1])
            strongest = f"{emotion} {share:.0%}"
        table.add_row(str(name), mood, f"{modality.weight:.0%}", strongest, Text("; ".join(modality.reasons)))
    return table


def _transcript(result: SessionResult) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, title="What was said", title_justify="left", title_style="bold", show_header=False
    )
    table.add_column(justify="right", style="dim")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for line in result.transcript:
        table.add_row(f"{line.start_s:.1f} s", _mood_text(line.mood), Text(line.text))
    return table


def _accounting(result: SessionResult) -> Table:
    title = f"What became of every chunk ({result.status})"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    columns = ("published", "scored", "abstained", "failed", "expired", "forgotten")
    table.add_column("modality")
    for column in columns:
        table.add_column(column, justify="right")
    for name, row in result.accounting.items():
        table.add_row(str(name), *(str(getattr(row, column)) for column in columns))
    return table


def _mood_text(mood: float | None) -> Text:
    return Text("-", style="dim") if mood is None else Text(tenths(mood), style=mood_style(mood))
