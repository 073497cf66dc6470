"""What each modality saw or heard beside the emotion itself."""

from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from shared.emotions import Modality
from shared.messages.base import Contract, Seconds

Unit = Annotated[float, Field(ge=0, le=1)]
Intensity = Literal["calm", "neutral", "low", "high"]
INTENSITIES: Final[tuple[Intensity, ...]] = get_args(Intensity)


class Word(Contract):
    """One recognised or typed word.

    Attributes:
        text: The word with the marks that belong to it.
        start_s: Where it begins, in seconds from the start of the session; None where it was typed.
        end_s: Where it ends, likewise.
        probability: How sure the recogniser is of it, 0..1; 1 where it was typed.
        effect: By how much it raises (above 0) or lowers the score, against the score without it; None where that was
            not asked for.
    """

    text: str
    start_s: Seconds | None = None
    end_s: Seconds | None = None
    probability: Unit
    effect: float | None = None


class TextDetails(Contract):
    """What was said.

    Attributes:
        transcript: The recognised or typed words.
        language: ISO 639-1 code.
        asr_confidence: Mean probability of the recognised tokens, 0..1; 1 for typed text.
        words: The words with their spans and what each does to the score; empty for long typed texts.
        valence: Valence head, 1..5, or None where it abstained.
    """

    kind: Literal["text"] = "text"
    transcript: str = ""
    language: str | None = None
    asr_confidence: Unit | None = None
    words: tuple[Word, ...] = ()
    valence: Annotated[float, Field(ge=1, le=5)] | None = None


class AudioDetails(Contract):
    """How it was said; absolute, so that the worker needs no history.

    Attributes:
        energy_db: Level of the voiced part over the chunk's noise floor, decibels.
        level_dbfs: RMS level, decibels relative to full scale.
        pitch_hz: Median fundamental frequency of the voiced part, hertz.
        pitch_range_semitones: 10th to 90th percentile of the fundamental frequency, semitones.
        voiced_s: Voiced duration, seconds.
        voiced_share: Voiced share of the chunk, 0..1.
        arousal: From calm (0) to excited (1).
        intensity: The class that the arousal falls into.
        snr_db: Signal to noise ratio, decibels.
        clipped_share: Share of samples at full scale, 0..1.
    """

    kind: Literal["audio"] = "audio"
    energy_db: float | None = None
    level_dbfs: float | None = None
    pitch_hz: float | None = None
    pitch_range_semitones: float | None = None
    voiced_s: float | None = None
    voiced_share: Unit | None = None
    arousal: Unit | None = None
    intensity: Intensity | None = None
    snr_db: float | None = None
    clipped_share: Unit | None = None


class FaceBox(Contract):
    """One face; the box is in shares of the frame's width and height, from its top left corner.

    Attributes:
        x: Left edge, 0..1.
        y: Top edge, 0..1.
        width: Share of the frame's width.
        height: Share of the frame's height.
        confidence: The detector's, 0..1.
        main: Whether it is the one that was scored.
    """

    x: float
    y: float
    width: float
    height: float
    confidence: Unit
    main: bool = False


class FaceDetails(Contract):
    """Which faces were in the frame.

    Attributes:
        faces: All faces found, the main subject first.
        face_px: Shorter side of the main face in pixels.
    """

    kind: Literal["face"] = "face"
    faces: tuple[FaceBox, ...] = ()
    face_px: float | None = None


Details = Annotated[TextDetails | AudioDetails | FaceDetails, Field(discriminator="kind")]

_DETAILS: Final[dict[Modality, type[TextDetails | AudioDetails | FaceDetails]]] = {
    Modality.TEXT: TextDetails,
    Modality.AUDIO: AudioDetails,
    Modality.FACE: FaceDetails,
}


def empty_details(modality: Modality) -> TextDetails | AudioDetails | FaceDetails:
    """Return the details of a modality that saw or heard nothing."""
    return _DETAILS[modality]()
