"""The numbers of the fusion rule. ``services.fusion.training.fit`` writes them; the model card says where from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from shared.emotions import EMOTIONS, Emotion, Modality

FILE: Final = "parameters.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How wide an interval must be for the spread that is predicted: a rising line through a few points.

    Attributes:
        spreads: Predicted standard deviations, rising.
        half_widths: The half-width of the 80 % interval at each of them, rising; beyond the last in proportion.
    """

    spreads: tuple[float, ...]
    half_widths: tuple[float, ...]

    def half_width(self, spreads: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the half-width at each of these spreads, an array of any shape."""
        far = 1000.0
        x = (0.0, *self.spreads, far)
        y = (0.0, *self.half_widths, far * self.half_widths[-1] / self.spreads[-1])
        return np.interp(spreads, x, y)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityParameters:
    """How far one modality is to be believed.

    Attributes:
        exponent: Exponent of its smoothed distribution in the log-linear pool, at full quality and amount.
        reliability: Its part in the linear pool at full quality and amount, the prior's being ``prior_share``.
        linear_share: Part of the linear pool in the answer, at least, where this modality alone speaks.
        neutral_bias: Log-odds by which it says neutral too often, taken off at full quality and amount.
        error_sd: Standard deviation of its mood alone against the panel that saw and heard everything.
        calibration: Half-width of the 80 % interval, where it alone speaks.
    """

    exponent: float
    reliability: float
    linear_share: float
    neutral_bias: float
    error_sd: float
    calibration: Calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionParameters:
    """Everything that the fusion rule needs to know.

    Attributes:
        version: Names this set of numbers.
        modalities: Each modality's exponent, reliability, bias and error.
        prior: What is believed without evidence, over :data:`EMOTIONS`; sums to one, and its mood is about 3.
        prior_weight: Exponent of the prior in the log-linear pool.
        prior_share: Part of the prior in the linear pool.
        agreement_gain: Mood by which two modalities that agree fully may go beyond both.
        agreement_sd: Standard deviation between the modalities' moods from which they may not at all.
        prior_sd: Standard deviation of a person's mood about the prior's.
        half_amount_s: Seconds of evidence at which a modality has half of its full weight, at least.
        half_share: The same as a share of the seconds of whichever modality has most of them, where that is more.
        minimum_s: Seconds of evidence times quality, over all modalities, below which a session has no mood.
        minimum_bin_s: The same for one second of the timeline.
        disagreement_factor: How fast the variance between the modalities' moods raises that of the answer.
        ambiguity_share: Share of an ordinary answer's variance that comes with what the modalities leave open.
        lean: How far the interval leans to the side on which the distribution reaches further, 0..1.
        calibration: Half-width of the 80 % interval, where several modalities speak.
    """

    version: str
    modalities: Mapping[Modality, ModalityParameters]
    prior: tuple[float, ...]
    prior_weight: float
    prior_share: float
    agreement_gain: float
    agreement_sd: float
    prior_sd: float
    half_amount_s: float
    half_share: float
    minimum_s: float
    minimum_bin_s: float
    disagreement_factor: float
    ambiguity_share: float
    lean: float
    calibration: Calibration

    @property
    def rule(self) -> str:
        """The version with a digest of all numbers: what was fused by others cannot be replayed by these."""
        return f"{self.version}-{hashlib.sha256(write_parameters(self).encode()).hexdigest()[:12]}"

    def without(self, emotion: Emotion) -> Self:
        """Return the rule for people who were not offered an emotion as an answer: its prior is zero."""
        prior = [0.0 if each is emotion else p for each, p in zip(EMOTIONS, self.prior, strict=True)]
        return replace(self, prior=tuple(p / sum(prior) for p in prior))


_ADAPTER: Final[TypeAdapter[FusionParameters]] = TypeAdapter(FusionParameters)
_SEVERAL: Final[TypeAdapter[tuple[FusionParameters, ...]]] = TypeAdapter(tuple[FusionParameters, ...])


def read_parameters(text: str) -> FusionParameters:
    """Return the parameters in a JSON text.

    Raises:
        pydantic.ValidationError: If one is missing or wrong.
    """
    return _ADAPTER.validate_json(text)


def write_parameters(parameters: FusionParameters) -> str:
    """Return the JSON text that :func:`read_parameters` reads."""
    return _ADAPTER.dump_json(parameters, indent=2).decode() + "\n"


def read_rules(text: str) -> tuple[FusionParameters, ...]:
    """Return several sets of parameters in a JSON text, as :func:`write_rules` writes them."""
    return _SEVERAL.validate_json(text)


def write_rules(rules: Sequence[FusionParameters]) -> str:
    """Return several sets of parameters as one JSON text."""
    return _SEVERAL.dump_json(tuple(rules), indent=2).decode() + "\n"


DEFAULT_PARAMETERS: Final = read_parameters((files("services.fusion") / FILE).read_text(encoding="utf-8"))
"""The parameters of service: the rule as fitted on people, each modality scaled by the error of our model."""
