"""What is known of a session: the store reads it, the results are built from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.fusion.accumulate import Accumulator
from services.fusion.speaker import SpeakerSums
from shared.emotions import MODALITIES, Modality
from shared.messages.session import SessionEnded, SessionStarted
from shared.topology import FRAME_READERS


class Outcome(StrEnum):
    """What became of a chunk; every published chunk ends as exactly one of these."""

    SCORED = "scored"
    ABSTAINED = "abstained"
    FAILED = "failed"
    EXPIRED = "expired"
    FORGOTTEN = "forgotten"


class Phase(StrEnum):
    """How far a session has come: it goes on, its last scores are awaited, or every chunk is accounted for."""

    LIVE = "live"
    DRAINING = "draining"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A chunk that was not judged.

    Attributes:
        session_id: Whose it was.
        modality: Which modality should have judged it.
        seq: The ``seq`` of the chunk.
        cause: Why, as the broker says it, for example ``delivery_limit``.
        outcome: ``failed`` or ``expired``.
    """

    session_id: str
    modality: Modality
    seq: int
    cause: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of one modality's chunks.

    Attributes:
        seen: One more than the highest ``seq`` seen, of what was captured.
        typed: How many typed texts were published.
        outcomes: How many chunks ended in which way.
        reasons: How many chunks were not scored for which reason.
        models: How many chunks were scored by which model, as ``name version``.
    """

    seen: int = 0
    typed: int = 0
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, int] = field(default_factory=dict)

    def of(self, outcome: Outcome) -> int:
        """Return how many chunks ended in one way."""
        return self.outcomes.get(outcome, 0)

    @property
    def accounted(self) -> int:
        """How many chunks have ended in any way."""
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """A session's sums and counts; its size does not grow with the session's length.

    Attributes:
        started: How it began.
        ended: How it ended, or None where it goes on.
        expires_at: When everything about it is erased.
        sums: The evidence of the whole session by modality.
        counts: What became of the chunks by modality.
        speaker: How they speak, as sums.
    """

    started: SessionStarted
    ended: SessionEnded | None
    expires_at: datetime
    sums: Mapping[Modality, Accumulator]
    counts: Mapping[Modality, Counts]
    speaker: SpeakerSums = field(default_factory=SpeakerSums)

    @property
    def session_id(self) -> str:
        """Which session it is."""
        return self.started.session_id

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What the person agreed to, in the order in which results are shown."""
        return tuple(modality for modality in MODALITIES if modality in self.started.modalities)

    @property
    def duration_s(self) -> float | None:
        """How long it lasted, in seconds; None while it goes on."""
        return self.ended.duration_s if self.ended else None

    def counts_of(self, modality: Modality) -> Counts:
        """Return what became of one modality's chunks."""
        return self.counts.get(modality, Counts())

    def published(self, modality: Modality) -> int:
        """Return how many chunks were published: as the agent says at the end, before it as far as seen."""
        counts = self.counts_of(modality)
        if self.ended is None:
            return counts.seen + counts.typed
        if modality not in self.started.modalities:
            return 0
        stated = self.ended.frames if modality in FRAME_READERS else self.ended.speech_chunks
        # What came after the session was ended from outside is accounted for too.
        return max(stated, counts.seen) + counts.typed

    @property
    def phase(self) -> Phase:
        """How far it has come."""
        if self.ended is None:
            return Phase.LIVE
        done = all(self.counts_of(modality).accounted >= self.published(modality) for modality in self.modalities)
        return Phase.COMPLETE if done else Phase.DRAINING


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineBin:
    """One second of a session.

    Attributes:
        index: Which second, from 0.
        sums: The evidence in it by modality.
    """

    index: int
    sums: Mapping[Modality, Accumulator]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a session.

    Attributes:
        id: Grows; an event is read after the one with this id.
        kind: ``started``, ``score``, ``lost``, ``progress``, ``forgotten`` or ``ended``.
        fields: Which chunk and how it ended, how far a recording is read, or which stretch was forgotten; empty for
            ``started`` and ``ended``.
    """

    id: str
    kind: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an erasure removed.

    Attributes:
        session_id: Which session.
        erased_at: When.
        evidence: How many pieces of evidence were erased.
        keys: How many keys were erased.
    """

    session_id: str
    erased_at: datetime
    evidence: int
    keys: int
