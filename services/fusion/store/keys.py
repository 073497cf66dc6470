"""The names of a session's keys; the braces keep all of them in one slot of a Redis cluster."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.emotions import MODALITIES, Modality

DEAD_LETTERS: Final = "mien:dead_letters"
"""Hash: how many dead letters belong to no session, by queue and cause. It says nothing of anybody and is kept."""

BINS_PER_PAGE: Final = 60

SPEAKER: Final = "speaker"
"""Field of the totals: sums of pitch and energy over the utterances."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one session.

    Attributes:
        session_id: Which session.
    """

    session_id: str

    @property
    def root(self) -> str:
        """What all of its keys begin with: a digest, so that nothing names an erased session, its tombstone neither."""
        return f"mien:session:{{{_digest(self.session_id)}}}"

    @property
    def tombstone(self) -> str:
        """String: the session was erased, and late scores must not bring it back."""
        return f"{self.root}:erased"

    @property
    def meta(self) -> str:
        """Hash: ``started``, ``ended`` (JSON), ``token_sha256``, ``expires_at``, ``forgotten`` and so on."""
        return f"{self.root}:meta"

    @property
    def counters(self) -> str:
        """Hash: ``{modality}:`` and an outcome, ``seen``, ``typed``, ``reason:…`` or ``model:…``, to a number."""
        return f"{self.root}:counters"

    @property
    def totals(self) -> str:
        """Hash: the whole session's sums by modality, and those of the speaker."""
        return f"{self.root}:totals"

    @property
    def evidence(self) -> str:
        """Hash: ``{modality}:{seq}`` to a rank and the score or loss; makes every addition idempotent."""
        return f"{self.root}:evidence"

    @property
    def events(self) -> str:
        """Stream: what happened, the newest thousand or so."""
        return f"{self.root}:events"

    @property
    def pages(self) -> str:
        """Set: the minutes that have a page."""
        return f"{self.root}:pages"

    def order(self, modality: Modality) -> str:
        """Sorted set: ``seq`` by the second in which it begins."""
        return f"{self.root}:order:{modality}"

    def page(self, page: int | str) -> str:
        """Hash: ``{bin}:{modality}`` to sums, for one minute."""
        return f"{self.root}:page:{page}"

    def fixed(self) -> list[str]:
        """Return all keys but the tombstone and the pages."""
        orders = [self.order(modality) for modality in MODALITIES]
        return [self.meta, self.counters, self.totals, self.evidence, self.events, self.pages, *orders]


@lru_cache(maxsize=4096)
def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()[:32]
