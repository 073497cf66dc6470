"""The words that go with the numbers: a label for a mood, and a reason for each modality's weight. Pure."""

from itertools import combinations
from typing import Final

from services.fusion.fuse import Fused, ModalityView
from services.fusion.state import Counts, Outcome
from shared.emotions import EMOTIONS, Emotion, Modality

_HALF_UP: Final = 1e-9
"""Python alone writes 1.25 as 1.2, for it takes halves to the even digit."""

_DISAGREEMENT_FROM: Final = 1.25
_AUDIBLE_SHARE: Final = 0.05
"""A voice that is heard as long and as well as words and face is 0.09 of the answer."""

_CHANGEABLE_SD: Final = 1.0
_POOR_QUALITY: Final = 0.5
_LITTLE_S: Final = 2.0
_LONG_S: Final = 180.0
_SCORE_WORDS: Final = ((1.75, "very low"), (2.5, "low"), (3.5, "even"), (4.25, "good"), (5.0, "very good"))
_ORDINARY: Final = "even"
ADJECTIVES: Final[dict[Emotion, str]] = {
    Emotion.ANGER: "angry",
    Emotion.DISGUST: "disgusted",
    Emotion.FEAR: "afraid",
    Emotion.JOY: "happy",
    Emotion.NEUTRAL: "calm",
    Emotion.SADNESS: "sad",
    Emotion.SURPRISE: "surprised",
}
NAMES: Final = {Modality.TEXT: "words", Modality.AUDIO: "voice", Modality.FACE: "face"}
_UNITS: Final = {Modality.TEXT: "utterances", Modality.AUDIO: "utterances", Modality.FACE: "frames"}
_POOR: Final = {
    Modality.TEXT: "speech recogniser unsure",
    Modality.AUDIO: "voice noisy or faint",
    Modality.FACE: "face small, turned away or blurred",
}
_CLEAR: Final = {
    Modality.TEXT: "words recognised well",
    Modality.AUDIO: "voice heard well",
    Modality.FACE: "face seen well",
}
_NOTHING: Final = {
    Modality.TEXT: "no speech came",
    Modality.AUDIO: "no speech came",
    Modality.FACE: "no frames came",
}
_LOST: Final = {
    Outcome.EXPIRED: "came too late to be judged",
    Outcome.FAILED: "could not be judged",
    Outcome.FORGOTTEN: "forgotten, as was asked for",
}
_PHRASES: Final = {
    "clipped": "voice distorted",
    "face_too_small": "face too small",
    "face_turned_away": "face turned away",
    "internal_error": "the model failed",
    "no_face": "no face in view",
    "no_voice": "no voice heard",
    "no_words": "no words heard",
    "not_speech": "no speech heard",
    "unsupported_language": "a language that the model does not know",
    "too_quiet": "voice too quiet",
    "too_short": "too short to judge",
    "unclear_face": "face unclear",
}
"""The reasons that the scorers give, in words; of any other, its own words are shown."""

_LOSS_CAUSES: Final = frozenset({"expired", "maxlen", "rejected", "delivery_limit"})


def tenths(mood: float) -> str:
    """Return a mood with one digit, halves up, as a browser writes it: all that show a mood show the same."""
    return f"{mood + _HALF_UP:.1f}"


def score_word(mood: float) -> str:
    """Return one of five words for a mood of 1..5."""
    return next(word for limit, word in _SCORE_WORDS if mood <= limit)


def label_of(fused: Fused) -> str:
    """Say a mood in words: its mix of emotions, whether it changed, and which modalities disagree."""
    parts = [mix_of(fused)]
    if any(view.mood_sd >= _CHANGEABLE_SD and _audible(view) for view in fused.views.values()):
        parts[0] += ", changeable"
    if apart := disagreement_of(fused):
        parts.append(said_to_disagree(apart))
    return "; ".join(parts)


def said_to_disagree(apart: tuple[Modality, Modality]) -> str:
    """Say in words that two modalities disagree."""
    return " and ".join(NAMES[each] for each in apart) + " disagree"


def disagreement_of(fused: Fused) -> tuple[Modality, Modality] | None:
    """Return the two modalities that are said to disagree, of several such pairs the one furthest apart, or None."""
    views = fused.views
    apart = [(a, b) for a, b in combinations(views, 2) if disagree(views[a], views[b])]
    return max(apart, key=lambda pair: abs(views[pair[0]].mood - views[pair[1]].mood), default=None)


def disagree(first: ModalityView, second: ModalityView) -> bool:
    """Return whether two are far apart, and each is enough of the answer to be spoken of."""
    return _audible(first) and _audible(second) and abs(first.mood - second.mood) >= _DISAGREEMENT_FROM


def _audible(view: ModalityView) -> bool:
    return view.share >= _AUDIBLE_SHARE


def mix_of(fused: Fused) -> str:
    """Say a mix of emotions in a few words."""
    ranked = sorted(zip(fused.distribution.tolist(), EMOTIONS, strict=True), key=lambda pair: -pair[0])
    (most, top), (next_most, second) = ranked[0], ranked[1]
    if most >= 0.7:
        return ADJECTIVES[top]
    if most >= 0.45 and next_most < 0.3:
        calm_but = top is Emotion.NEUTRAL and score_word(fused.mood) != _ORDINARY
        return f"{score_word(fused.mood)}, mostly calm" if calm_but else f"mostly {ADJECTIVES[top]}"
    if most + next_most >= 0.6:
        return f"{ADJECTIVES[top]} and {ADJECTIVES[second]}"
    return f"{score_word(fused.mood)}, of mixed feelings"


def reasons_of(
    modality: Modality,
    counts: Counts,
    view: ModalityView | None,
    duration_s: float | None = None,
    *,
    published: int = 0,
) -> list[str]:
    """Say why a modality weighs what it weighs, so that a person understands it: what lowers it, or that nothing does.

    Args:
        modality: Which modality.
        counts: What became of its chunks.
        view: What it says by itself, or None where it has no evidence.
        duration_s: How long the session lasted, or None where that is not known yet.
        published: How many chunks were published, as far as is known.
    """
    if counts.accounted == 0:
        return [f"none of {published} {_UNITS[modality]} is judged yet" if published else _NOTHING[modality]]
    units = _UNITS[modality]
    chunks = f"of {counts.accounted} {units}"
    reasons = [
        _abstention(modality, reason, number, counts.accounted, duration_s)
        for reason, number in sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0]))
        if reason not in _LOSS_CAUSES
    ]
    for outcome, what in _LOST.items():
        if number := _lost(counts, outcome):
            reasons.append(f"{number} {chunks} {what}")
    if view is not None:
        return [*reasons, *_view_reasons(modality, counts, view, duration_s)]
    # What was judged and is no evidence at all was of no quality at all.
    return [*reasons, _POOR[modality]] if counts.of(Outcome.SCORED) else reasons


def _view_reasons(modality: Modality, counts: Counts, view: ModalityView, duration_s: float | None) -> list[str]:
    reasons = [_POOR[modality]] if view.quality < _POOR_QUALITY else []
    judged = counts.of(Outcome.SCORED)
    if view.amount_s < _LITTLE_S:
        frames = f"{judged} frame{'s' if judged != 1 else ''}"
        return [*reasons, f"only {frames if modality is Modality.FACE else f'{view.amount_s:.1f} s'} of evidence"]
    if modality is Modality.FACE:
        return reasons or [f"{_CLEAR[modality]} {_extent(modality, judged, counts.accounted, duration_s)}"]
    return reasons or [f"{_CLEAR[modality]} for {_length(view.amount_s)}"]


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _LONG_S else f"{seconds / 60:.0f} min"


def _abstention(modality: Modality, reason: str, number: int, of: int, duration_s: float | None) -> str:
    what = _PHRASES.get(reason, reason.replace("_", " "))
    return f"{what} {_extent(modality, number, of, duration_s)}"


def _extent(modality: Modality, number: int, of: int, duration_s: float | None) -> str:
    """Say how much it is: of a whole recording in seconds, for frames come evenly, however many; else in chunks."""
    if modality is Modality.FACE and duration_s is not None and duration_s >= 1:
        lasted_s = number / of * duration_s
        return f"for {lasted_s:.{0 if lasted_s >= 1 else 1}f} s of {duration_s:.0f}"
    return f"in {number} of {of} {_UNITS[modality]}"


def _lost(counts: Counts, outcome: Outcome) -> int:
    """Return how many chunks ended in one way without a word of the worker's own why."""
    if outcome is not Outcome.FAILED:
        return counts.of(outcome)
    causes = ("rejected", "delivery_limit")
    return sum(counts.reasons.get(cause, 0) for cause in causes)
