"""A voice relative to its own speaker: how high and how loud an utterance is for this person. Pure."""

import math
from bisect import bisect_right
from dataclasses import astuple, dataclass
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from services.fusion.accumulate import UNIT
from shared.messages.details import INTENSITIES, AudioDetails, Intensity
from shared.messages.score import ModalityScore, Status

LEAST_UTTERANCES: Final = 5
"""Fewer say too little of what is usual for a person."""

_BOUNDS: Final = (-1.0, 0.5, 1.5)
"""Standard deviations over the person's own mean at which an utterance stops to be calm, neutral, of low intensity."""

_SEMITONES: Final = 12.0
_LEAST_SD: Final = (0.25, 0.5)
"""Semitones and decibels: what varies less is not told apart from how well it can be measured."""


@dataclass(frozen=True, slots=True)
class SpeakerSums:
    """Sums over the utterances of a session, which add up in any order; all but the number in steps of :data:`UNIT`.

    Attributes:
        utterances: How many.
        pitch: Pitch in semitones over 1 Hz.
        pitch_square: Its square.
        energy: Energy in decibels.
        energy_square: Its square.
    """

    utterances: int = 0
    pitch: int = 0
    pitch_square: int = 0
    energy: int = 0
    energy_square: int = 0

    def __add__(self, other: Self) -> "SpeakerSums":
        return SpeakerSums(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def pack(self) -> str:
        """Return the sums as the store keeps them: decimal integers with spaces between."""
        return " ".join(map(str, astuple(self)))

    @classmethod
    def unpack(cls, text: str) -> "SpeakerSums":
        """Return what :meth:`pack` wrote."""
        return cls(*map(int, text.split()))


class SpeakerResult(BaseModel):
    """How a person speaks in a session.

    Attributes:
        utterances: How many that stands on.
        pitch_hz: Their mean pitch, of the logarithm.
        pitch_sd_semitones: Its standard deviation from utterance to utterance.
        energy_db: Their mean energy over the noise.
        energy_sd_db: Its standard deviation.
    """

    model_config = ConfigDict(frozen=True)

    utterances: int
    pitch_hz: float
    pitch_sd_semitones: float
    energy_db: float
    energy_sd_db: float


class RelativeVoice(BaseModel):
    """One utterance beside how its speaker usually sounds.

    Attributes:
        pitch_sd: How many standard deviations its pitch is over the person's mean.
        energy_sd: The same for its energy.
        intensity: The class that the mean of the two falls into.
    """

    model_config = ConfigDict(frozen=True)

    pitch_sd: float
    energy_sd: float
    intensity: Intensity


def speaker_sums_of(score: ModalityScore) -> SpeakerSums:
    """Return what a score says of its speaker; nothing, where no voice was judged."""
    sound = _sound_of(score)
    if sound is None:
        return SpeakerSums()
    pitch, energy = sound
    return SpeakerSums(1, *(round(each / UNIT) for each in (pitch, pitch**2, energy, energy**2)))


def speaker_of(sums: SpeakerSums) -> SpeakerResult | None:
    """Return how a person speaks, or None where too little was heard of them."""
    if sums.utterances < LEAST_UTTERANCES:
        return None
    (pitch, pitch_sd), (energy, energy_sd) = _moments(sums)
    return SpeakerResult(
        utterances=sums.utterances,
        pitch_hz=round(2 ** (pitch / _SEMITONES), 1),
        pitch_sd_semitones=round(pitch_sd, 2),
        energy_db=round(energy, 1),
        energy_sd_db=round(energy_sd, 2),
    )


def relative_voice_of(score: ModalityScore, sums: SpeakerSums) -> RelativeVoice | None:
    """Return an utterance relative to its speaker, or None where it or they were not heard well enough.

    Args:
        score: A score of the voice.
        sums: Those of its session, as they are when it is read.
    """
    sound = _sound_of(score)
    if sound is None or sums.utterances < LEAST_UTTERANCES:
        return None
    pitch_sd, energy_sd = (
        (value - mean) / max(sd, least)
        for value, (mean, sd), least in zip(sound, _moments(sums), _LEAST_SD, strict=True)
    )
    return RelativeVoice(
        pitch_sd=round(pitch_sd, 2),
        energy_sd=round(energy_sd, 2),
        intensity=INTENSITIES[bisect_right(_BOUNDS, (pitch_sd + energy_sd) / 2)],
    )


def _sound_of(score: ModalityScore) -> tuple[float, float] | None:
    """Return pitch in semitones over 1 Hz and energy in decibels."""
    details = score.details
    if score.status is not Status.SCORED or not isinstance(details, AudioDetails):
        return None
    if details.energy_db is None or not details.pitch_hz or details.pitch_hz < 1:
        return None
    return _SEMITONES * math.log2(details.pitch_hz), details.energy_db


def _moments(sums: SpeakerSums) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return mean and standard deviation of pitch and of energy."""
    return (
        _moment(sums.utterances, sums.pitch, sums.pitch_square),
        _moment(sums.utterances, sums.energy, sums.energy_square),
    )


def _moment(number: int, total: int, squares: int) -> tuple[float, float]:
    mean = total * UNIT / number
    return mean, math.sqrt(max(0.0, squares * UNIT / number - mean**2))
