"""CREMA-D's votes as evidence: what people called a clip who heard it, saw it, or did both.

Source: Cao et al., "CREMA-D: Crowd-sourced emotional multimodal actors dataset", 2014.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from services.fusion.accumulate import SMOOTHING
from services.fusion.pool import Evidence, Floats
from shared.emotions import EMOTIONS, MODALITIES, MOOD_VECTOR, Modality, mood_of
from shared.messages.details import empty_details
from shared.messages.score import ModalityScore, ModelRef, Status

CLIP_S: Final = 3.0
"""Seconds that a clip counts for; CREMA-D's last two to three."""

VOTES_HALF: Final = 0.5
"""Votes at which a panel has half of full quality."""

_COLUMNS: Final = {"A": "anger", "D": "disgust", "F": "fear", "H": "joy", "N": "neutral", "S": "sadness"}
_KINDS: Final = {"1": Modality.AUDIO, "2": Modality.FACE, "3": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """The votes on n clips, each float64 of shape (n, 7) in the order of :data:`EMOTIONS`.

    Attributes:
        voice: Of people who only heard the clip.
        face: Of people who only saw it.
        both: Of people who heard and saw it.
        actors: Who plays in it, int64 of shape (n,).
    """

    voice: Floats
    face: Floats
    both: Floats
    actors: NDArray[np.int64]

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """Which clips are never fitted on: those of actors with an id divisible by five."""
        return np.asarray(self.actors % 5 == 0)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Return the chosen clips."""
        return type(self)(
            voice=self.voice[chosen], face=self.face[chosen], both=self.both[chosen], actors=self.actors[chosen]
        )

    def thinned(self, votes: int, seed: int) -> Self:
        """Return the same clips with at most so many votes on each input, drawn without replacement."""
        random = np.random.default_rng(seed)
        voice, face = (_draw(panel, votes, random) for panel in (self.voice, self.face))
        return type(self)(voice=voice, face=face, both=self.both, actors=self.actors)


def read_votes(data: Path) -> Panels:
    """Read the votes on every clip.

    Args:
        data: The data folder, with ``votes/tabulatedVotes.csv`` in it.
    """
    clips: dict[str, dict[Modality | None, list[float]]] = {}
    with (data / "votes" / "tabulatedVotes.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            votes = {emotion: float(row[column]) for column, emotion in _COLUMNS.items()}
            panel = [votes.get(emotion, 0.0) for emotion in EMOTIONS]
            clips.setdefault(row["fileName"], {})[_KINDS[row[""][0]]] = panel
    whole = {name: panels for name, panels in clips.items() if len(panels) == len(_KINDS)}
    return Panels(
        voice=np.array([panels[Modality.AUDIO] for panels in whole.values()]),
        face=np.array([panels[Modality.FACE] for panels in whole.values()]),
        both=np.array([panels[None] for panels in whole.values()]),
        actors=np.array([int(name[:4]) for name in whole]),
    )


def shares_of(votes: Floats) -> Floats:
    """Return votes as distributions."""
    return np.asarray(votes / votes.sum(axis=-1, keepdims=True))


def rater_error(votes: Floats) -> float:
    """Return the error of one rater against all others of the panel, the mean over raters, then over clips."""
    number, total = votes.sum(axis=1, keepdims=True), (votes @ MOOD_VECTOR)[:, None]
    others = (total - MOOD_VECTOR) / (number - 1)
    errors = np.abs(MOOD_VECTOR - others)
    return float(((votes * errors).sum(axis=1) / number[:, 0]).mean())


def quality_of(votes: Floats) -> Floats:
    """Return how good a panel of so many people is to judge from, 0..1."""
    number = votes.sum(axis=-1)
    return np.asarray(number / (number + VOTES_HALF))


def evidence_of(panels: Panels, modalities: tuple[Modality, ...]) -> Evidence:
    """Return what the panels of some modalities say; the same as the sums of :func:`scores_of`, for all clips at once.

    Args:
        panels: The votes.
        modalities: Audio, face, or both.
    """
    count = len(panels.actors)
    shape = (count, len(MODALITIES))
    masses, shares = np.zeros(shape), np.zeros((*shape, len(EMOTIONS)))
    logs = np.zeros_like(shares)
    for modality in modalities:
        votes, place = _votes_of(panels, modality), MODALITIES.index(modality)
        shares[:, place] = shares_of(votes)
        logs[:, place] = np.log((shares[:, place] + SMOOTHING) / (1 + len(EMOTIONS) * SMOOTHING))
        masses[:, place] = CLIP_S * quality_of(votes)
    return Evidence(
        logs=logs,
        shares=shares,
        moods=shares @ MOOD_VECTOR,
        mood_sds=np.zeros(shape),
        qualities=masses / CLIP_S,
        masses=masses,
        amounts=np.where(masses > 0, CLIP_S, 0.0),
    )


def scores_of(panels: Panels, index: int, modalities: tuple[Modality, ...]) -> list[ModalityScore]:
    """Return one clip's panels as the scores that a worker would send."""
    return [_score(_votes_of(panels, modality)[index], modality) for modality in modalities]


def _score(votes: Floats, modality: Modality) -> ModalityScore:
    distribution = shares_of(votes)
    return ModalityScore(
        session_id="crema-d-clip",
        modality=modality,
        seq=0,
        start_s=0.0,
        end_s=CLIP_S,
        status=Status.SCORED,
        mood=float(mood_of(distribution)),
        distribution=dict(zip(EMOTIONS, distribution.tolist(), strict=True)),
        quality=float(quality_of(votes)),
        details=empty_details(modality),
        model=ModelRef(name="panel", version="1"),
    )


def _votes_of(panels: Panels, modality: Modality) -> Floats:
    return panels.voice if modality is Modality.AUDIO else panels.face


def _draw(panel: Floats, votes: int, random: np.random.Generator) -> Floats:
    counts = panel.astype(np.int64)
    wanted = np.minimum(votes, counts.sum(axis=1))
    drawn = [random.multivariate_hypergeometric(row, number) for row, number in zip(counts, wanted, strict=True)]
    return np.array(drawn, dtype=np.float64)
