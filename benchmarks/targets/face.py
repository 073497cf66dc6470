"""What the face must reach."""

from typing import Final

from benchmarks.figures import Target
from services.face.training.robustness import CHANGES
from shared.emotions import EMOTIONS, Emotion

_FERPLUS: Final = "FER+ valid, without copies of training images"


def _between(key: str, figure: str, least: float, most: float) -> tuple[Target, Target]:
    """Return the two sides that a figure of the face must stay between."""
    low = Target(area="face", key=key, figure=f"{figure}, at least", data=_FERPLUS, must=least)
    high = Target(area="face", key=key, figure=f"{figure}, at most", data=_FERPLUS, better="lower", must=most)
    return low, high


FACE: Final = (
    Target(
        area="face",
        key="majority_accuracy",
        figure="majority of the votes, accuracy",
        data=_FERPLUS,
        must=0.83,
        aim=0.86,
        reference={"fer 25.10": 0.629},
    ),
    Target(
        area="face",
        key="tagger_agreement",
        figure="agreement with one random tagger",
        data=_FERPLUS,
        must=0.66,
        aim=0.70,
        reference={"two taggers": 0.700},
    ),
    Target(
        area="face",
        key="mood_mae",
        figure="mood against the panel, MAE",
        data=_FERPLUS,
        better="lower",
        must=0.29,
        aim=0.24,
        reference={"fer 25.10": 0.469, "one tagger": 0.425, "a constant": 0.860},
    ),
    Target(
        area="face",
        key="mood_r",
        figure="mood against the panel, r",
        data=_FERPLUS,
        must=0.94,
        aim=0.96,
        reference={"fer 25.10": 0.853},
    ),
    Target(
        area="face",
        key="ece",
        figure="calibration of the top emotion, ECE",
        data=_FERPLUS,
        better="lower",
        must=0.05,
        aim=0.03,
    ),
    *_between("neutral_mood", "mood of faces whose panel says neutral", 2.8, 3.2),
    *(
        target
        for emotion in EMOTIONS
        if emotion is not Emotion.DISGUST
        for target in _between(f"share_ratio_{emotion}", f"share of {emotion}, over the panel's", 0.8, 1.25)
    ),
    *(
        Target(area="face", key=f"{key}_{change}", figure=f"{change.replace('_', ' ')}: {figure}", data=_FERPLUS)
        for change in CHANGES
        for key, figure in (("accuracy", "accuracy"), ("quality", "quality"))
    ),
    Target(
        area="face",
        key="sure_and_wrong_mouth_covered",
        figure="mouth covered: over 0.7 and wrong",
        data=_FERPLUS,
        better="lower",
    ),
)
