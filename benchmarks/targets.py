"""What each figure of the scoreboard must reach, and what peers and people reach on the same data."""

from typing import Final

from benchmarks.figures import Target
from services.face.training.robustness import CHANGES
from shared.emotions import EMOTIONS, Emotion

_EMOBANK: Final = "EmoBank test (1,000 sentences)"
_SST: Final = "SST-5 test (2,210 sentences)"
_GOEMOTIONS: Final = "GoEmotions test, mapped to the seven"
_FERPLUS: Final = "FER+ valid, without copies of training images"
_RAVDESS: Final = "RAVDESS, folds by actor, three seeds"

_BEHAVIOUR: Final = {
    "negation": "what is denied turns",
    "contrast": "what follows a but counts",
    "facts": "plain facts stay in 2.5 to 3.5",
    "small_talk": "small talk stays in 2.5 to 3.5",
    "names": "mood words in names stay in 2.5 to 3.5",
    "intensity": "stronger words are not milder",
    "identity": "other people, the same score within 0.2",
    "single": "single words and emoji",
}

TEXT: Final = (
    Target(
        area="text",
        key="emobank_r",
        figure="valence, r",
        data=_EMOBANK,
        must=0.78,
        aim=0.82,
        reference={"VADER": 0.458, "TextBlob": 0.307, "one reader": 0.48},
    ),
    Target(
        area="text",
        key="emobank_mae_rescaled",
        figure="valence, MAE on EmoBank's scale",
        data=_EMOBANK,
        better="lower",
        reference={"one reader": 0.52},
    ),
    Target(
        area="text",
        key="sst5_accuracy",
        figure="served score rounded, five levels",
        data=_SST,
        must=0.525,
        aim=0.55,
        reference={"VADER": 0.318, "TextBlob": 0.265, "BERT-base": 0.532},
    ),
    Target(
        area="text",
        key="goemotions_macro_f1",
        figure="emotions, macro-F1",
        data=_GOEMOTIONS,
        must=0.65,
        aim=0.68,
        reference={"BERT-base": 0.64},
    ),
    Target(
        area="text",
        key="goemotions_ece",
        figure="calibration of the top emotion, ECE",
        data=_GOEMOTIONS,
        better="lower",
        must=0.05,
        aim=0.03,
    ),
    Target(area="text", key="emobank_r_spoken", figure="valence as recognised speech, r", data=_EMOBANK),
    Target(area="text", key="emobank_r_drop", figure="what that costs, r", data=_EMOBANK, better="lower", must=0.03),
    Target(area="text", key="sst5_accuracy_spoken", figure="five levels as recognised speech", data=_SST),
    Target(
        area="text",
        key="sst5_accuracy_drop",
        figure="what that costs, accuracy",
        data=_SST,
        better="lower",
        must=0.03,
    ),
    *(
        Target(area="text", key=f"behaviour_{check}", figure=figure, data="generated cases, up to 300", must=0.95)
        for check, figure in _BEHAVIOUR.items()
    ),
    Target(
        area="text",
        key="sounds_scored",
        figure="silence, hum, tones, noise and music taken for words",
        data="200 generated chunks",
        better="lower",
        must=0.01,
    ),
    Target(area="text", key="emobank_r_vader", figure="VADER, r, here", data=_EMOBANK),
    Target(area="text", key="emobank_r_textblob", figure="TextBlob, r, here", data=_EMOBANK),
    Target(area="text", key="sst5_accuracy_vader", figure="VADER, five levels, here", data=_SST),
    Target(area="text", key="sst5_accuracy_textblob", figure="TextBlob, five levels, here", data=_SST),
)

AUDIO: Final = (
    Target(
        area="audio",
        key="ravdess_uar",
        figure="seven emotions, UAR",
        data=_RAVDESS,
        must=0.68,
        aim=0.75,
        reference={"linear head on Whisper tiny.en": 0.648},
    ),
    Target(area="audio", key="ravdess_uar_f", figure="seven emotions, UAR, women", data=_RAVDESS),
    Target(area="audio", key="ravdess_uar_m", figure="seven emotions, UAR, men", data=_RAVDESS),
    Target(
        area="audio",
        key="ravdess_strength_auc",
        figure="strong against normal, AUC",
        data=_RAVDESS,
        must=0.80,
        aim=0.88,
    ),
    Target(
        area="audio",
        key="left_out_uar",
        figure="corpus never heard, mean UAR",
        data="each corpus left out in turn",
        must=0.42,
        aim=0.50,
        reference={"linear head": 0.34},
    ),
    Target(
        area="audio",
        key="ravdess_ece",
        figure="calibration of the top emotion, ECE",
        data=_RAVDESS,
        better="lower",
        must=0.08,
        aim=0.05,
    ),
    Target(
        area="audio", key="neutral_mood_f", figure="mood of neutral speech, women", data="all corpora, folds by speaker"
    ),
    Target(
        area="audio", key="neutral_mood_m", figure="mood of neutral speech, men", data="all corpora, folds by speaker"
    ),
    Target(
        area="audio",
        key="nonspeech_scored_share",
        figure="silence, hum, tones and noise that are scored",
        data="200 generated chunks",
        better="lower",
        must=0.01,
    ),
    Target(
        area="audio",
        key="speech_scored_share",
        figure="speech that is scored",
        data="LibriSpeech and acted clips",
        must=0.98,
    ),
)


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
        reference={"one tagger": 0.702},
    ),
    Target(
        area="face",
        key="mood_mae",
        figure="mood against the panel, MAE",
        data=_FERPLUS,
        better="lower",
        must=0.29,
        aim=0.24,
        reference={"fer 25.10": 0.469, "one tagger": 0.471, "a constant": 0.913},
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

_VOTES: Final = "CREMA-D votes, actors held out (1,476 clips)"
_PEOPLE: Final = {"best linear pool": 0.262, "log-linear pool": 0.254, "half the panel": 0.278, "one more rater": 0.421}


_EVERY: Final = "CREMA-D votes, every actor held out once (7,442 clips)"


def _coverage(key: str, figure: str, data: str = _VOTES) -> tuple[Target, Target]:
    """Return the two sides that a coverage must stay between: 78 and 82 %."""
    least = Target(area="fusion", key=key, figure=f"{figure}, at least", data=data, must=0.78, aim=0.78)
    most = Target(area="fusion", key=key, figure=f"{figure}, at most", data=data, better="lower", must=0.82, aim=0.82)
    return least, most


def _every_actor() -> tuple[Target, ...]:
    """Return the coverage where every actor is held out once, of each input and each third of the width."""
    parts = {"": "", "_narrow": ", narrowest third", "_middle": ", middle third", "_wide": ", widest third"}
    inputs = {"": "80 % interval", "_voice": "voice alone", "_face": "face alone"}
    return tuple(
        target
        for name, what in inputs.items()
        for part, words in parts.items()
        for target in _coverage(f"every_actor_coverage{part}{name}", f"{what}{words}, every actor", _EVERY)
    )


FUSION: Final = (
    Target(
        area="fusion",
        key="mae",
        figure="mood against the audio-visual panel, MAE",
        data=_VOTES,
        better="lower",
        must=0.250,
        aim=0.240,
        reference=_PEOPLE,
    ),
    Target(
        area="fusion",
        key="jsd",
        figure="distribution against the panel, Jensen-Shannon divergence",
        data=_VOTES,
        unit="bit",
        better="lower",
        must=0.125,
        reference={"log-linear pool": 0.128},
    ),
    Target(
        area="fusion",
        key="thinned_better_share",
        figure="three votes an input: both better than either, bootstrap",
        data=_VOTES,
        must=0.95,
    ),
    *_every_actor(),
    *_coverage("coverage", "80 % interval"),
    *_coverage("coverage_narrow", "the narrowest third"),
    *_coverage("coverage_middle", "the middle third"),
    *_coverage("coverage_wide", "the widest third"),
    *_coverage("coverage_voice", "voice alone"),
    *_coverage("coverage_face", "face alone"),
    Target(area="fusion", key="width", figure="mean width of the interval", data=_VOTES, better="lower"),
    Target(area="fusion", key="linear_mae", figure="best linear pool, MAE, here", data=_VOTES, better="lower"),
    Target(area="fusion", key="log_linear_mae", figure="log-linear pool, MAE, here", data=_VOTES, better="lower"),
    Target(
        area="fusion", key="log_linear_jsd", figure="log-linear pool, divergence, here", data=_VOTES, better="lower"
    ),
    Target(
        area="fusion", key="rater_mae", figure="one rater against the others, MAE, here", data=_VOTES, better="lower"
    ),
    Target(area="fusion", key="half_panel_mae", figure="half the panel, MAE, here", data=_VOTES, better="lower"),
)

SCOREBOARD: Final = (*TEXT, *AUDIO, *FACE, *FUSION)
