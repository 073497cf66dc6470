"""The pool behind the fusion rule, for any number of moments at once: serving and fitting run this same code. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from services.fusion.accumulate import UNIT, Accumulator
from services.fusion.parameters import FusionParameters
from shared.emotions import EMOTIONS, MODALITIES, MOOD_MAX, MOOD_MIN, MOOD_VECTOR, Emotion, Modality, mood_of

Floats = NDArray[np.float64]

_NEUTRAL: Final = np.array([float(emotion is Emotion.NEUTRAL) for emotion in EMOTIONS])
_TINY: Final = 1e-12
_ORDINARY_VARIANCE: Final = 0.5
"""Variance of mood within an ordinary distribution."""

_FULL_PART: Final = 0.1
"""From this part of the answer on, a modality's own mood counts in full for the bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the modalities say of n moments; the modalities are in the order of :data:`MODALITIES`.

    Attributes:
        logs: Mean smoothed log-probabilities, float64 of shape (n, 3, 7).
        shares: Mean distributions, float64 of shape (n, 3, 7); zero where a modality says nothing.
        moods: Mean moods, 1..5, float64 of shape (n, 3).
        mood_sds: Standard deviations of the moods over time, float64 of shape (n, 3).
        qualities: Mean qualities, 0..1, float64 of shape (n, 3).
        masses: Seconds times quality, float64 of shape (n, 3); zero where a modality says nothing.
        amounts: Seconds, float64 of shape (n, 3).
    """

    logs: Floats
    shares: Floats
    moods: Floats
    mood_sds: Floats
    qualities: Floats
    masses: Floats
    amounts: Floats

    @classmethod
    def of(cls, rows: Floats) -> Self:
        """Return the evidence in accumulated sums.

        Args:
            rows: As :func:`rows_of` gives them, shape (n, 3, 18), or mixtures of such.
        """
        amounts, masses = rows[..., 0] * UNIT, rows[..., 1] * UNIT
        means = rows / np.maximum(rows[..., 1:2], 1.0)
        moods, shares = means[..., 2], means[..., 4 + len(EMOTIONS) :]
        return cls(
            logs=means[..., 4 : 4 + len(EMOTIONS)],
            shares=shares / np.maximum(shares.sum(axis=-1, keepdims=True), _TINY),
            moods=np.clip(moods, MOOD_MIN, MOOD_MAX),
            mood_sds=np.sqrt(np.maximum(0.0, means[..., 3] - moods**2)),
            qualities=np.minimum(1.0, masses / np.maximum(amounts, _TINY)),
            masses=masses,
            amounts=amounts,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """What the pool makes of n moments.

    Attributes:
        distributions: float64 of shape (n, 7).
        moods: Their expected moods, float64 of shape (n,).
        spreads: Standard deviations of the moods, float64 of shape (n,).
        half_widths: Half-widths of the moods' 80 % intervals, float64 of shape (n,).
        leans: Part of its half-width by which each interval lies above its mood, -1..1; float64 of shape (n,).
        shares: Each modality's part of the answer, float64 of shape (n, 3), summing to one.
    """

    distributions: Floats
    moods: Floats
    spreads: Floats
    half_widths: Floats
    leans: Floats
    shares: Floats

    @property
    def lows(self) -> Floats:
        """Lower ends of the 80 % intervals, at least 1; float64 of shape (n,)."""
        return np.maximum(MOOD_MIN, self.moods - self.half_widths * (1 - self.leans))

    @property
    def highs(self) -> Floats:
        """Upper ends of the 80 % intervals, at most 5; float64 of shape (n,)."""
        return np.minimum(MOOD_MAX, self.moods + self.half_widths * (1 + self.leans))


def rows_of(moments: Sequence[Mapping[Modality, Accumulator]]) -> Floats:
    """Return the sums of n moments as float64 of shape (n, 3, 18): modality, then the order of the accumulator."""
    nothing = Accumulator().values()
    rows = [[sums[modality].values() if modality in sums else nothing for modality in MODALITIES] for sums in moments]
    return np.array(rows, dtype=np.float64).reshape(len(moments), len(MODALITIES), len(nothing))


def pool(evidence: Evidence, parameters: FusionParameters) -> Pooled:
    """Pool what the modalities say.

    The answer mixes two opinion pools (Genest and Zidek, "Combining probability distributions", 1986): a linear one,
    which never goes beyond any of its members, and a log-linear one, which sharpens what they agree on. The log-linear
    one gets the part that ``linear_share`` leaves, or less, where it would carry the mood beyond :func:`_bounds`.
    """
    reach = _reach(evidence, parameters)
    shares, rest = _linear_shares(reach, parameters)
    linear = np.einsum("nm,nme->ne", shares, evidence.shares) + rest[:, None] * parameters.prior
    sharp = _log_linear(evidence, reach, parameters)
    parts = shares / np.maximum(shares.sum(axis=1, keepdims=True), _TINY)
    low, high = _bounds(evidence.moods, parts, linear, parameters)
    least = parts @ _of_each(parameters, "linear_share")
    part = _linear_part(mood_of(linear), mood_of(sharp), (low, high), least)[:, None]
    distributions = part * linear + (1 - part) * sharp
    spreads = _spreads(evidence, parts, parameters)
    return Pooled(
        distributions=distributions,
        moods=np.clip(mood_of(distributions), MOOD_MIN, MOOD_MAX),
        spreads=spreads,
        half_widths=_half_widths(spreads, evidence.masses, parts, parameters),
        leans=parameters.lean * _skews(distributions),
        shares=parts,
    )


def _reach(evidence: Evidence, parameters: FusionParameters) -> Floats:
    """Return how far each modality's evidence goes, 0..1, by its quality and its time; shape (n, 3).

    Time counts beside the modality that has most of it: a sentence in an hour of pictures is a sentence, not an hour.
    One that is believed less than another takes the less from it, so that nothing weak can outlast what is strong.
    """
    reliability = _of_each(parameters, "reliability")
    believed = np.minimum(1.0, reliability / reliability[:, None])
    longest = (evidence.amounts[:, None, :] * believed).max(axis=2)
    half = np.maximum(parameters.half_amount_s, parameters.half_share * longest)
    return np.asarray(evidence.masses / (evidence.amounts + half))


def _linear_shares(reach: Floats, parameters: FusionParameters) -> tuple[Floats, Floats]:
    """Return the parts of the modalities in the linear pool, (n, 3), and the prior's, (n,)."""
    weights = reach * _of_each(parameters, "reliability")
    total = weights.sum(axis=1) + parameters.prior_share
    return weights / total[:, None], parameters.prior_share / total


def _log_linear(evidence: Evidence, reach: Floats, parameters: FusionParameters) -> Floats:
    logs = evidence.logs * _of_each(parameters, "exponent")[:, None]
    logs = logs - _of_each(parameters, "neutral_bias")[:, None] * _NEUTRAL
    with np.errstate(divide="ignore"):
        prior = parameters.prior_weight * np.log(parameters.prior)
    logits = prior + np.einsum("nm,nme->ne", reach, logs)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _bounds(moods: Floats, parts: Floats, linear: Floats, parameters: FusionParameters) -> tuple[Floats, Floats]:
    """Return the lowest and the highest mood that the answer may have, each of shape (n,).

    They are the most extreme moods among the modalities and the prior; only modalities that agree may go beyond, by at
    most ``agreement_gain``. One modality agrees with nobody, and the gain fades as their moods draw apart. A modality
    with next to no part does not stretch the bounds, so that nothing jumps where it falls silent.
    """
    centre, prior = mood_of(linear), float(mood_of(parameters.prior))
    away = (moods - centre[:, None]) * np.minimum(1.0, parts / _FULL_PART)
    lowest = np.minimum(prior, centre + np.minimum(0.0, away.min(axis=1)))
    highest = np.maximum(prior, centre + np.maximum(0.0, away.max(axis=1)))
    several = np.clip(1 / np.maximum((parts**2).sum(axis=1), _TINY) - 1, 0, 1)
    agreement = np.maximum(0.0, 1 - between(moods, parts) / parameters.agreement_sd**2)
    gain = parameters.agreement_gain * several * agreement
    return lowest - gain, highest + gain


def _linear_part(linear: Floats, sharp: Floats, bounds: tuple[Floats, Floats], least: Floats) -> Floats:
    """Return how much of the linear pool, with mood ``linear``, keeps the mixture's mood within bounds."""
    mixed = least * linear + (1 - least) * sharp
    bound = np.clip(mixed, *bounds)
    apart = sharp - linear
    safe = np.where(np.abs(apart) < _TINY, 1.0, apart)
    return np.asarray(np.where(bound == mixed, least, np.clip((sharp - bound) / safe, least, 1.0)))


def _spreads(evidence: Evidence, parts: Floats, parameters: FusionParameters) -> Floats:
    """Combine the modalities' measured errors as independent, and widen by what they disagree by and leave open.

    What a modality leaves open is the variance within its distributions, without the change of its mood over time.
    More of the same evidence raises the precision and changes nothing else, so that it never widens.
    """
    gained = _reach_of_mass(evidence.masses, parameters) @ _of_each(parameters, "error_sd") ** -2
    means = mood_of(evidence.shares)
    within = np.maximum(0.0, evidence.shares @ MOOD_VECTOR**2 - means**2 - evidence.mood_sds**2)
    left_open = (parts * within).sum(axis=1) / _ORDINARY_VARIANCE - 1
    apart = parameters.disagreement_factor * between(evidence.moods, parts)
    return np.asarray(
        np.sqrt((1 + parameters.ambiguity_share * left_open + apart) / (parameters.prior_sd**-2 + gained))
    )


def _half_widths(spreads: Floats, masses: Floats, parts: Floats, parameters: FusionParameters) -> Floats:
    """Calibrate the spreads, by whether several modalities were heard, or which one alone.

    It goes over from the one to the other with the evidence beside the modality that has most, so that a single poor
    frame does not make a voice that was heard alone surer.
    """
    heard = np.minimum(1.0, masses / parameters.half_amount_s)
    several = np.minimum(1.0, heard.sum(axis=1) - heard.max(axis=1))
    calibrations = [parameters.modalities[modality].calibration for modality in MODALITIES]
    alone = np.stack([each.half_width(spreads) for each in calibrations], axis=1)
    together = parameters.calibration.half_width(spreads)
    return np.asarray(several * together + (1 - several) * (parts * alone).sum(axis=1))


def _skews(distributions: Floats) -> Floats:
    """Return how much further the distributions reach above their moods than below, -1..1; shape (n,).

    Happy faces are seldom happier than they look, and sometimes less: what a distribution leaves open lies on one side.
    """
    away = MOOD_VECTOR - mood_of(distributions)[:, None]
    above = np.sqrt((distributions * np.maximum(0.0, away) ** 2).sum(axis=1))
    below = np.sqrt((distributions * np.minimum(0.0, away) ** 2).sum(axis=1))
    return np.asarray((above - below) / np.maximum(above + below, _TINY))


def _reach_of_mass(masses: Floats, parameters: FusionParameters) -> Floats:
    """Return how far evidence goes by its mass alone, 0..1.

    A poor second after a good one lowers the mean quality; if the precision depended on that, the answer would be less
    sure than if the second had never been heard.
    """
    return masses / (masses + parameters.half_amount_s)


def between(moods: Floats, parts: Floats) -> Floats:
    """Return the variance between the modalities' moods, each by its part of the answer; shape (n,)."""
    centre = (parts * moods).sum(axis=1, keepdims=True)
    return np.asarray((parts * (moods - centre) ** 2).sum(axis=1))


def _of_each(parameters: FusionParameters, name: str) -> Floats:
    return np.array([getattr(parameters.modalities[modality], name) for modality in MODALITIES])
