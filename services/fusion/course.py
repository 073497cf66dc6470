"""How a session went: its mean, peak and end, when modalities disagreed, and all of that in words. Pure."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from services.fusion.accumulate import BIN_S
from services.fusion.baseline import relative_mood
from services.fusion.fuse import Fused
from services.fusion.labels import ADJECTIVES, NAMES, disagree, label_of, mix_of
from services.fusion.timeline import Second
from shared.emotions import EMOTIONS, Emotion, Modality
from shared.messages.score import Mood

END_S: Final = 10.0
"""The last seconds of a session's evidence, which are its end."""

_FAR: Final = 0.75
_LEAST_S: Final = 3.0
_GAP_S: Final = 2.0
_MOST: Final = 0.8


class Moment(BaseModel):
    """A stretch of a session that stands out.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends.
        mood: Its mood.
        emotion: Its strongest emotion.
    """

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    mood: Mood
    emotion: Emotion


class Disagreement(BaseModel):
    """A stretch in which two modalities disagreed.

    Attributes:
        start_s: Where it begins.
        end_s: Where it ends.
        between: Which two.
    """

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    between: tuple[Modality, Modality]


class Course(BaseModel):
    """How a session went. A few strong seconds are not averaged away: the peak stands beside the mean.

    Attributes:
        mean: Mean mood of the smoothed seconds, weighted by their evidence.
        peak: The second whose smoothed mood is furthest from that mean.
        end: The last ten seconds of its evidence.
        disagreements: When two modalities that were both heard or seen disagreed for three seconds or more.
        label: All of that in words.
        relative: Whether its moods are relative to the person's own baseline, 3 being their usual.
        usual: The person's usual mood, where they are relative; else None.
    """

    model_config = ConfigDict(frozen=True)

    mean: Mood
    peak: Moment
    end: Moment
    disagreements: tuple[Disagreement, ...]
    label: str
    relative: bool
    usual: Mood | None


def course_of(
    fused: Fused, seconds: Sequence[Second], duration_s: float | None = None, usual: float | None = None
) -> Course | None:
    """Return how a session went; None where no second has a mood.

    Args:
        fused: The whole session.
        seconds: Its seconds, in order.
        duration_s: How long it lasted, or None where that is not known yet.
        usual: The person's usual mood, where all is told relative to it.
    """
    if not seconds:
        return None
    mean = _mean_mood(seconds, usual)
    peak = max(seconds, key=lambda second: abs(_shown(second, usual) - mean))
    last = [second for second in seconds if (seconds[-1].index - second.index) * BIN_S < END_S]
    disagreements = _disagreements(seconds)
    moments = (_moment([peak], usual), _moment(last, usual))
    return Course(
        mean=round(mean, 2),
        peak=moments[0],
        end=moments[1],
        disagreements=disagreements,
        label="; ".join(
            [_mix_over_time(fused, seconds, mean, *moments, duration_s), *_disagreement_words(disagreements, seconds)]
        ),
        relative=usual is not None,
        usual=usual,
    )


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, for example ``1:10``; from an hour on with its hours, ``1:00:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _shown(second: Second, usual: float | None) -> float:
    return second.smoothed.mood if usual is None else relative_mood(second.smoothed.mood, usual)


def _mean_mood(seconds: Sequence[Second], usual: float | None) -> float:
    masses = [second.mass for second in seconds]
    return float(np.average([_shown(second, usual) for second in seconds], weights=masses))


def _moment(seconds: Sequence[Second], usual: float | None) -> Moment:
    mix = np.average(
        [second.smoothed.distribution for second in seconds], axis=0, weights=[second.mass for second in seconds]
    )
    return Moment(
        start_s=seconds[0].index * BIN_S,
        end_s=(seconds[-1].index + 1) * BIN_S,
        mood=round(_mean_mood(seconds, usual), 2),
        emotion=EMOTIONS[int(mix.argmax())],
    )


def _mix_over_time(
    fused: Fused, seconds: Sequence[Second], mean: float, peak: Moment, end: Moment, duration_s: float | None
) -> str:
    words = mix_of(fused)
    strongest = EMOTIONS[int(fused.distribution.argmax())]
    # The mix may name two.
    told = [emotion for emotion in EMOTIONS if emotion is strongest or ADJECTIVES[emotion] in words]
    if (seconds[-1].index - seconds[0].index) * BIN_S < 2 * END_S:
        return label_of(fused).partition(";")[0]
    if end.emotion not in told and abs(end.mood - mean) >= _FAR / 2:
        words += f", {ADJECTIVES[end.emotion]} {_when(end, duration_s)}"
        told.append(end.emotion)
    if peak.emotion not in told and abs(peak.mood - mean) >= _FAR and peak.end_s <= end.start_s:
        words += f", {ADJECTIVES[peak.emotion]} at {clock(peak.start_s)}"
    return words


def _when(end: Moment, duration_s: float | None) -> str:
    """Say when the end of the evidence was: a session may go on unheard and unseen."""
    if duration_s is None or duration_s - end.end_s <= END_S:
        return "at the end"
    return f"when last judged, at {clock(end.end_s)}"


def _disagreements(seconds: Sequence[Second]) -> tuple[Disagreement, ...]:
    found: list[Disagreement] = []
    for pair in combinations(Modality, 2):
        # smoothing carries a word or a picture into seconds that have none of it
        apart = [second.index for second in seconds if _has(second.alone, pair) and _apart(second.smoothed, pair)]
        starts = [i for i, index in enumerate(apart) if i == 0 or (index - apart[i - 1] - 1) * BIN_S > _GAP_S]
        for start, stop in pairwise([*starts, len(apart)]):
            begin, end = apart[start] * BIN_S, (apart[stop - 1] + 1) * BIN_S
            if end - begin >= _LEAST_S:
                found.append(Disagreement(start_s=begin, end_s=end, between=pair))
    return tuple(sorted(found, key=lambda each: each.start_s))


def _has(fused: Fused, pair: tuple[Modality, Modality]) -> bool:
    return all(modality in fused.views for modality in pair)


def _apart(fused: Fused, pair: tuple[Modality, Modality]) -> bool:
    first, second = pair
    return _has(fused, pair) and disagree(fused.views[first], fused.views[second])


def _disagreement_words(disagreements: Sequence[Disagreement], seconds: Sequence[Second]) -> list[str]:
    """Say the longest disagreement; where it lasts nearly all the time, without its times."""
    if not disagreements:
        return []
    longest = max(disagreements, key=lambda each: each.end_s - each.start_s)
    first, second = (NAMES[modality] for modality in longest.between)
    whole = (seconds[-1].index + 1 - seconds[0].index) * BIN_S
    if longest.end_s - longest.start_s >= _MOST * whole:
        return [f"{first} and {second} disagree"]
    return [f"{first} and {second} disagree from {clock(longest.start_s)} to {clock(longest.end_s)}"]
