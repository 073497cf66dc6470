"""What a person may know about a session while it runs."""

from dataclasses import dataclass
from typing import Literal

Link = Literal["connected", "blocked", "away"]
"""Whether the broker takes what is published; ``blocked``: it is there, but short of memory or disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of one kind of chunk.

    Attributes:
        sent: Confirmed by the broker.
        waiting: Cut or sampled, and not confirmed yet.
        dropped: Never sent: there was no more room for it while the broker was away, or the person had it forgotten.
    """

    sent: int
    waiting: int
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureStatus:
    """One look at a session.

    Attributes:
        elapsed_s: Session time; it goes on in a pause.
        level_dbfs: Root mean square of the newest block of sound, in decibels relative to full scale, at least -100;
            None where no sound is recorded now.
        speaking: Whether speech is heard now.
        paused: Whether nothing is recorded.
        muted: Whether no sound is recorded.
        link: How the broker can be reached.
        keep_minutes: Minutes of speech that are kept while the broker takes nothing; past them the oldest is dropped.
        speech: What became of the utterances.
        frames: What became of the frames; one that shows nothing new is skipped and not counted.
        problem: A sentence about a source that is missing now, or None.
    """

    elapsed_s: float
    level_dbfs: float | None
    speaking: bool
    paused: bool
    muted: bool
    link: Link
    keep_minutes: float
    speech: Counts
    frames: Counts
    problem: str | None
