"""From panels of people to our models: each modality is believed as far as its measured error allows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import combinations
from math import hypot, pi, sqrt
from pathlib import Path
from typing import Final

import numpy as np

from services.fusion.parameters import FusionParameters, ModalityParameters
from services.fusion.training.votes import Panels, rater_error, shares_of
from shared.emotions import EMOTIONS, MOOD_VALUES, Modality, mood_of
from shared.weights import load_manifest

_SD_OF_MAE: Final = sqrt(pi / 2)
"""Standard deviation of a normal error over its mean absolute value."""

READER_ERROR: Final = 0.52
"""Mean absolute error of valence, 1..5, of one reader of EmoBank against the others (the model card of text has it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """How far a panel of people with one modality is from the panel that saw and heard everything.

    Attributes:
        voice: Mean absolute difference of mood, of the voice alone.
        face: The same of the face alone.
        words: The same of the words alone, as :func:`gaps_of` takes it.
        mood_sd: Standard deviation of the mood of those who saw and heard everything.
    """

    voice: float
    face: float
    words: float
    mood_sd: float

    def of(self, modality: Modality) -> float:
        """Return a modality's gap."""
        return {Modality.TEXT: self.words, Modality.AUDIO: self.voice, Modality.FACE: self.face}[modality]


def gaps_of(panels: Panels) -> Gaps:
    """Measure the gaps of voice and face, and take that of the words from how well people agree who only read.

    Who only heard agree less than who only saw, and their gap is wider. Who only read agree with each other by
    :data:`READER_ERROR`; their gap is taken where that lies on the straight line through the other two.
    """
    voice, face, both = (mood_of(shares_of(votes)) for votes in (panels.voice, panels.face, panels.both))
    heard, seen = float(np.abs(voice - both).mean()), float(np.abs(face - both).mean())
    apart_heard, apart_seen = rater_error(panels.voice), rater_error(panels.face)
    place = (READER_ERROR - apart_seen) / (apart_heard - apart_seen)
    return Gaps(voice=heard, face=seen, words=seen + place * (heard - seen), mood_sd=float(both.std()))


def own_errors(gaps: Gaps) -> dict[Modality, float]:
    """Return the mean absolute error of mood of each of our models against its own panel, from its manifest.

    Face: measured on FER+. Text: EmoBank's scale is narrow, so its correlation r is taken instead, as a share
    sqrt(1 - r^2) of the spread of moods here. Voice: where a corpus that was left out of training is misheard (one
    minus the mean recall), the mood is wrong by the mean distance of two emotions. Each corpus of voices has its own
    microphone and its own way of acting, and so has everybody who is listened to: unseen actors of a corpus that was
    trained on are misheard less than they will be.

    Args:
        gaps: For the spread of moods.

    Raises:
        WeightsError: If a manifest is missing.
    """
    moods = [MOOD_VALUES[emotion] for emotion in EMOTIONS]
    distance = float(np.mean([abs(a - b) for a, b in combinations(moods, 2)]))
    correlation = _figure("text", "emobank_r")
    return {
        Modality.TEXT: sqrt(1 - correlation**2) * gaps.mood_sd / _SD_OF_MAE,
        Modality.AUDIO: (1 - _figure("audio", "left_out_uar")) * distance,
        Modality.FACE: _figure("face", "mood_mae"),
    }


def transferred(panels: FusionParameters, gaps: Gaps, errors: Mapping[Modality, float]) -> FusionParameters:
    """Return the rule for our models.

    With the gap g of a modality and the error e of our model, both against panels and taken as independent, what was
    fitted for g holds with the share g^2 / (g^2 + e^2): so much of the reliability, of the log-linear pool's part and
    of the bias is kept, and the error grows to sqrt(g^2 + e^2).
    """
    modalities = {
        modality: _transferred(panels.modalities[modality], modality, gaps, errors[modality]) for modality in Modality
    }
    return replace(panels, modalities=modalities)


def kept_share(gap: float, error: float) -> float:
    """Return how much of what was fitted for a gap is kept where our model errs by so much."""
    return gap**2 / (gap**2 + error**2)


def _transferred(fitted: ModalityParameters, modality: Modality, gaps: Gaps, error: float) -> ModalityParameters:
    gap = gaps.of(modality)
    kept = kept_share(gap, error)
    # Words have no panel of their own: their reliability is the face's, in proportion of the gaps' squares.
    reliability = (gaps.face / gap) ** 2 if modality is Modality.TEXT else fitted.reliability
    error_sd = gap * _SD_OF_MAE if modality is Modality.TEXT else fitted.error_sd
    return ModalityParameters(
        exponent=fitted.exponent,
        reliability=reliability * kept,
        linear_share=1 - (1 - fitted.linear_share) * kept,
        neutral_bias=fitted.neutral_bias * kept,
        error_sd=hypot(error_sd, _SD_OF_MAE * error),
        calibration=fitted.calibration,
    )


def _figure(service: str, name: str) -> float:
    folder = Path(str(files("services"))) / service / "weights"
    return load_manifest(folder).figures[name]
