"""The numbers of the fusion rule, and where each comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.emotions import EMOTIONS, Emotion, Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityParameters:
    """How far one modality is to be believed.

    Attributes:
        reliability: Exponent of its distribution at full quality and amount.
        error_sd: Standard deviation of its mood alone against the panel that saw and heard everything.
    """

    reliability: float
    error_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionParameters:
    """Everything that the fusion rule needs to know.

    Attributes:
        modalities: Each modality's reliability and error.
        prior: What is believed without evidence, over :data:`EMOTIONS`; sums to one.
        prior_weight: Exponent of the prior.
        prior_sd: Standard deviation of a person's mood about the prior's.
        half_amount_s: Seconds of evidence at which a modality has half of its full weight.
        minimum_s: Seconds of evidence times quality, over all modalities, below which a session has no mood.
        minimum_bin_s: The same for one second of the timeline.
        disagreement_factor: Share of the variance between the modalities' moods that widens the interval.
        interval_z: Half-width of the interval in standard deviations.
    """

    modalities: Mapping[Modality, ModalityParameters]
    prior: tuple[float, ...]
    prior_weight: float
    prior_sd: float
    half_amount_s: float
    minimum_s: float
    minimum_bin_s: float
    disagreement_factor: float
    interval_z: float


_PRIOR: Final[dict[Emotion, float]] = {
    Emotion.ANGER: 0.07,
    Emotion.DISGUST: 0.05,
    Emotion.FEAR: 0.05,
    Emotion.JOY: 0.20,
    Emotion.NEUTRAL: 0.50,
    Emotion.SADNESS: 0.08,
    Emotion.SURPRISE: 0.05,
}

DEFAULT_PARAMETERS: Final = FusionParameters(
    modalities={
        Modality.TEXT: ModalityParameters(reliability=1.0, error_sd=0.65),
        Modality.AUDIO: ModalityParameters(reliability=0.4, error_sd=0.80),
        Modality.FACE: ModalityParameters(reliability=1.8, error_sd=0.55),
    },
    prior=tuple(_PRIOR[emotion] for emotion in EMOTIONS),
    prior_weight=0.25,
    prior_sd=1.0,
    half_amount_s=0.5,
    minimum_s=0.4,
    minimum_bin_s=0.05,
    disagreement_factor=0.5,
    interval_z=1.2816,
)
"""Voice and face start from the log-linear pool that is nearest to how people fuse the clips of CREMA-D (exponents 0.3
and 1.4; Cao et al., 2014): a few seconds of ordinary quality reach about 0.6 of a reliability, so that the voice enters
with its 0.25 and the face with 1.1, taken down because a model is noisier than the ten people of a panel. CREMA-D's
words are neutral by design and say nothing of text, whose share is set between the two. The prior's mood is 3. The
errors are those panels' (0.57 and 0.28, mean absolute), widened for models. The interval is one of 80 %."""
