"""What the voice must reach."""

from typing import Final

from benchmarks.figures import Target

_RAVDESS: Final = "RAVDESS, folds by actor, three seeds"
_WORSENED: Final = "600 clips of RAVDESS, folds by actor, three seeds"
_UAR_LOST: Final = {
    "babble": ("babble, 10 dB below", 0.10),
    "traffic": ("traffic, 10 dB below", 0.10),
    "white": ("white noise, 10 dB below", 0.10),
    "opus": ("Opus, 16 kbit/s", 0.05),
}
_MOVED: Final = {"quieter": "12 dB quieter", "louder": "12 dB louder"}

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
    *(
        Target(
            area="audio",
            key=f"{name}_uar_loss",
            figure=f"{what}, UAR lost",
            data=_WORSENED,
            better="lower",
            must=must,
        )
        for name, (what, must) in _UAR_LOST.items()
    ),
    *(
        Target(
            area="audio",
            key=f"{name}_mood_shift",
            figure=f"{what}, a clip's mood moves by",
            data=_WORSENED,
            better="lower",
            must=0.15,
        )
        for name, what in _MOVED.items()
    ),
)
