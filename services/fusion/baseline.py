"""A person's usual mood, and moods relative to it. Pure."""

from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.emotions import MOOD_MAX, MOOD_MIN
from shared.messages.score import Mood
from shared.messages.session import UsualMood

LEAST_S: Final = 20.0
"""Seconds of evidence that a baseline needs; a calibration session lasts about a minute."""

_USUAL: Final = 3.0
_WORDS: Final = ((1.75, "much lower than usual"), (2.6, "lower than usual"), (3.4, "about as usual"))
_MORE_WORDS: Final = ((4.25, "higher than usual"), (MOOD_MAX, "much higher than usual"))


class Baseline(BaseModel):
    """A person's usual mood, from a calibration session; kept only with their consent.

    Attributes:
        format: Names this shape.
        consent: The person has agreed that it is kept.
        usual: Their mood in the calibration session, 1.5..4.5.
        low: Lower end of its 80 % interval.
        high: Upper end of its 80 % interval.
        evidence_s: Seconds of evidence that it stands on.
        made_at: When.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["mien.baseline/1"] = "mien.baseline/1"
    consent: Literal[True]
    usual: UsualMood
    low: Mood
    high: Mood
    evidence_s: float
    made_at: AwareDatetime


def relative_mood(mood: float, usual: float) -> float:
    """Return a mood relative to the usual one, 1..5: the usual becomes 3, and both ends stay where they are.

    In between it rises in a straight line on each side, so that no order of moods is lost.

    Args:
        mood: 1..5.
        usual: 1.5..4.5.
    """
    if mood < usual:
        return MOOD_MIN + (mood - MOOD_MIN) * (_USUAL - MOOD_MIN) / (usual - MOOD_MIN)
    return MOOD_MAX - (MOOD_MAX - mood) * (MOOD_MAX - _USUAL) / (MOOD_MAX - usual)


def relative_words(mood: float) -> str:
    """Say a relative mood in words."""
    return next(word for limit, word in (*_WORDS, *_MORE_WORDS) if mood <= limit)
