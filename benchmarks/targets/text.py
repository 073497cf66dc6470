"""What the words must reach."""

from typing import Final

from benchmarks.figures import Target

_EMOBANK: Final = "EmoBank test (1,000 sentences)"
_SST: Final = "SST-5 test (2,210 sentences)"
_GOEMOTIONS: Final = "GoEmotions test, mapped to the seven"

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
        reference={"VADER": 0.318, "TextBlob": 0.306, "BERT-base": 0.532},
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
        Target(area="text", key=f"behaviour_{check}", figure=figure, data="generated cases", must=0.95)
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
