"""``mien explain``: why one modality scored as it did."""

import json

import typer
from rich.console import Console
from rich.text import Text

from services.text.explain import explain
from services.text.model import TextModel
from services.text.settings import TextSettings
from shared.emotions import as_mapping
from shared.errors import BadInputError

_WHOLLY = 1.0
"""An effect, in points of mood, that is drawn in the strongest colour."""


def explain_text(text: str, *, as_json: bool) -> None:
    """Print which words raise and lower the mood of a text.

    Args:
        text: The text, of any length.
        as_json: Print one JSON object instead of coloured words.

    Raises:
        BadInputError: If there is no word in it.
    """
    words = text.split()
    if not words:
        raise BadInputError('There is nothing to explain: give some words, as in mien explain text "I like it".')
    settings = TextSettings()
    model = TextModel(settings.weights, threads=settings.threads)
    prediction = model.predict([text])
    (effects,) = explain(lambda readings: model.predict(readings).valences, [words])
    mood, distribution = float(prediction.valences[0]), as_mapping(prediction.distributions[0])
    pairs = list(zip(words, effects, strict=True))
    if as_json:
        rows = [{"text": word, "effect": round(effect, 3)} for word, effect in pairs]
        typer.echo(
            json.dumps({"text": text, "mood": mood, "distribution": distribution, "words": rows}, ensure_ascii=False)
        )
        return
    _print(mood, pairs)


def _print(mood: float, pairs: list[tuple[str, float]]) -> None:
    out = Console(highlight=False)
    out.print(Text(" ").join(Text(word, style=_style(effect)) for word, effect in pairs))
    out.print(
        f"\nmood [bold]{mood:.2f}[/]   [green]raises[/] it   [red]lowers[/] it   (against the same without the word)"
    )
    strongest = sorted(pairs, key=lambda pair: -abs(pair[1]))[:5]
    for word, effect in strongest:
        out.print(Text(f"{effect:+.2f}  {word}", style=_style(effect)))


def _style(effect: float) -> str:
    """Return a background from nothing to full green or red; strong words are bold too."""
    strength = min(1.0, abs(effect) / _WHOLLY)
    if strength < 0.05:
        return ""
    full = (0, 135, 80) if effect > 0 else (200, 40, 40)
    red, green, blue = (round(30 + strength * (part - 30)) for part in full)
    weight = "bold " if strength > 0.3 else ""
    return f"{weight}white on rgb({red},{green},{blue})"
