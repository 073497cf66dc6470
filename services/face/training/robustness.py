"""How the served model answers what a webcam does to a face: always the same change to every test image."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.face.model import FaceModel
from services.face.scorer import FaceScorer
from services.face.training.dataset import Panel
from shared.emotions import as_vector, mood_of
from shared.messages.score import Judgement

Image = NDArray[np.uint8]

_TURN_DEG: Final = 20.0
_BLUR_SD_PX: Final = 1.5
_JPEG_QUALITY: Final = 30
_SMALL_PX: Final = 32
_MOUTH: Final = (slice(30, 46), slice(12, 36))
_SURE: Final = 0.7
_BATCH: Final = 256


def turned(image: Image, degrees: float = _TURN_DEG) -> Image:
    """Rotate about the middle; what lies outside repeats the edge."""
    middle = ((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, degrees, 1.0))
    return np.asarray(cv2.warpAffine(image, matrix, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def half_lit(image: Image) -> Image:
    """Leave half of the light, and grain in it."""
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.asarray(np.clip(image * 0.5 + noise, 0, 255), dtype=np.uint8)


def blurred(image: Image) -> Image:
    """Blur by a Gaussian of 1.5 pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), _BLUR_SD_PX), dtype=np.uint8)


def compressed(image: Image) -> Image:
    """Pass it through JPEG of quality 30."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def mouth_covered(image: Image) -> Image:
    """Lay a grey mask over the mouth."""
    covered = image.copy()
    covered[_MOUTH] = 128
    return covered


def small(image: Image) -> Image:
    """Take it from farther away: 32 pixels."""
    return np.asarray(cv2.resize(image, (_SMALL_PX, _SMALL_PX), interpolation=cv2.INTER_AREA), dtype=np.uint8)


CHANGES: Final[Mapping[str, Callable[[Image], Image]]] = {
    "unchanged": np.asarray,
    "turned_left": turned,
    "turned_right": lambda image: turned(image, -_TURN_DEG),
    "half_light": half_lit,
    "blur": blurred,
    "jpeg_30": compressed,
    "mouth_covered": mouth_covered,
    "face_32_px": small,
}


FIGURES: Final = ("accuracy", "mood_mae", "confidence", "quality", "abstained", "sure_and_wrong")


def robustness(model: FaceModel, panel: Panel) -> dict[str, float]:
    """Measure each change.

    Args:
        model: As served.
        panel: Test faces; each has a vote for an emotion.

    Returns:
        For each change: ``accuracy_…`` against the majority, ``mood_mae_…`` and ``confidence_…`` of the faces that are
        scored; ``quality_…`` of all, 0 where it abstains; ``abstained_…``, a share of all; and ``sure_and_wrong_…``,
        the share of all whose top emotion is not the majority's and has more than 0.7.
    """
    scorer = FaceScorer(model)
    return {
        f"{figure}_{name}": round(float(value), 4)
        for name, change in CHANGES.items()
        for figure, value in _figures(_scored(scorer, [change(image) for image in panel.images]), panel).items()
    }


def _scored(scorer: FaceScorer, images: Sequence[Image]) -> list[Judgement]:
    batches = (images[at : at + _BATCH] for at in range(0, len(images), _BATCH))
    return [judgement for batch in batches for judgement in scorer.score_crops(batch)]


def _figures(judgements: Sequence[Judgement], panel: Panel) -> dict[str, float]:
    given = [as_vector(judgement.distribution) for judgement in judgements if judgement.distribution is not None]
    scored = np.array([judgement.distribution is not None for judgement in judgements])
    answers, wanted = np.array(given), panel.distribution[scored].astype(np.float64)
    wrong, confidence = answers.argmax(axis=1) != wanted.argmax(axis=1), answers.max(axis=1)
    return {
        "accuracy": 1 - wrong.mean(),
        "mood_mae": np.abs(mood_of(answers) - mood_of(wanted)).mean(),
        "confidence": confidence.mean(),
        "quality": np.mean([judgement.quality for judgement in judgements]).item(),
        "abstained": 1 - scored.mean(),
        "sure_and_wrong": (wrong & (confidence > _SURE)).sum() / len(judgements),
    }
