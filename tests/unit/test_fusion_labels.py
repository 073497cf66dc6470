"""What people read beside the numbers."""

from dataclasses import replace

import pytest

from services.fusion.accumulate import UNIT, Accumulator, evidence_rates
from services.fusion.fuse import Fused, fuse
from services.fusion.labels import disagreement_of, label_of, reasons_of, score_word, tenths
from services.fusion.state import Counts, Outcome
from shared.emotions import EMOTIONS, Emotion, Modality, mood_of


def leaning(emotion: Emotion, p: float = 0.8) -> list[float]:
    return [p if each is emotion else (1 - p) / 6 for each in EMOTIONS]


def sums_of(*distributions: list[float], seconds: float = 5.0, quality: float = 0.8) -> Accumulator:
    total = Accumulator()
    for distribution in distributions:
        rates = evidence_rates(distribution, float(mood_of(distribution)), quality)
        total += Accumulator.of([round(seconds * rate / UNIT) for rate in rates])
    return total


def fused(sums: dict[Modality, Accumulator]) -> Fused:
    result = fuse(sums)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("mood", "word"), [(1.0, "very low"), (2.0, "low"), (3.0, "even"), (4.0, "good"), (5.0, "very good")]
)
def test_a_word_for_every_mood(mood: float, word: str) -> None:
    assert score_word(mood) == word


@pytest.mark.parametrize(
    ("emotion", "word"),
    [(Emotion.JOY, "happy"), (Emotion.NEUTRAL, "calm"), (Emotion.SADNESS, "sad"), (Emotion.ANGER, "angry")],
)
def test_what_all_agree_on_is_said_plainly(emotion: Emotion, word: str) -> None:
    assert label_of(fused(dict.fromkeys(Modality, sums_of(leaning(emotion))))) == word


def test_a_leaning_is_said_as_one() -> None:
    label = label_of(fused({Modality.TEXT: sums_of(leaning(Emotion.NEUTRAL, 0.5))}))
    assert label == "mostly calm"


def test_calm_says_nothing_of_a_low_mood_so_that_the_mood_is_said_too() -> None:
    shares = dict.fromkeys(EMOTIONS, 0.0) | {Emotion.NEUTRAL: 0.6, Emotion.SADNESS: 0.25, Emotion.ANGER: 0.15}
    assert label_of(fused({Modality.FACE: sums_of(list(shares.values()))})) == "low, mostly calm"


def test_disagreement_is_said() -> None:
    sums = {
        Modality.TEXT: sums_of(leaning(Emotion.JOY)),
        Modality.AUDIO: sums_of(leaning(Emotion.SADNESS)),
        Modality.FACE: sums_of(leaning(Emotion.NEUTRAL)),
    }
    assert label_of(fused(sums)).endswith("; words and voice disagree")


def saying(**moods_and_shares: tuple[float, float]) -> Fused:
    whole = fused({Modality.TEXT: sums_of(leaning(Emotion.NEUTRAL))})
    alone = whole.views[Modality.TEXT]
    views = {Modality(name): replace(alone, mood=m, share=share) for name, (m, share) in moods_and_shares.items()}
    return replace(whole, views=views)


def test_the_two_furthest_apart_are_named() -> None:
    apart = saying(text=(1.3, 0.3), audio=(3.0, 0.3), face=(4.5, 0.4))
    assert disagreement_of(apart) == (Modality.TEXT, Modality.FACE)
    assert label_of(apart).endswith("; words and face disagree")


def test_who_is_hardly_heard_hides_no_disagreement() -> None:
    apart = saying(text=(1.3, 0.04), audio=(4.5, 0.5), face=(2.5, 0.46))
    assert disagreement_of(apart) == (Modality.AUDIO, Modality.FACE)
    assert label_of(apart).endswith("; voice and face disagree")
    assert disagreement_of(saying(text=(1.3, 0.04), audio=(4.5, 0.96))) is None
    assert disagreement_of(saying(audio=(2.9, 0.5), face=(4.0, 0.5))) is None


def test_agreement_is_not_called_disagreement() -> None:
    assert "disagree" not in label_of(fused(dict.fromkeys(Modality, sums_of(leaning(Emotion.JOY)))))


def test_change_over_time_is_said() -> None:
    changing = sums_of(leaning(Emotion.JOY, 0.95), leaning(Emotion.SADNESS, 0.95))
    assert "changeable" in label_of(fused({Modality.FACE: changing}))


def test_a_reason_counts_what_it_is_about() -> None:
    counts = Counts(
        seen=20,
        outcomes={Outcome.SCORED: 9, Outcome.ABSTAINED: 9, Outcome.EXPIRED: 1, Outcome.FAILED: 1},
        reasons={"no_face": 8, "sun_glare": 1, "maxlen": 1, "delivery_limit": 1},
    )
    view = fused({Modality.FACE: sums_of(leaning(Emotion.JOY))}).views[Modality.FACE]
    assert reasons_of(Modality.FACE, counts, view) == [
        "no face in view in 8 of 20 frames",
        "sun glare in 1 of 20 frames",
        "1 of 20 frames came too late to be judged",
        "1 of 20 frames could not be judged",
        "face seen well in 9 of 20 frames",
    ]
    whole = reasons_of(Modality.FACE, counts, view, duration_s=20.0)
    assert (whole[0], whole[-1]) == ("no face in view for 8 s of 20", "face seen well for 9 s of 20")


def test_what_is_not_judged_yet_is_not_called_missing() -> None:
    assert reasons_of(Modality.TEXT, Counts(), None) == ["no speech came"]
    assert reasons_of(Modality.TEXT, Counts(), None, published=12) == ["none of 12 utterances is judged yet"]


@pytest.mark.parametrize(("mood", "words"), [(1.25, "1.3"), (2.25, "2.3"), (4.25, "4.3"), (2.0, "2.0"), (4.449, "4.4")])
def test_halves_go_up_as_in_a_browser(mood: float, words: str) -> None:
    assert tenths(mood) == words


@pytest.mark.parametrize("frames", [60, 1800])
def test_how_long_a_face_was_seen_does_not_depend_on_how_many_frames_were_looked_at(frames: int) -> None:
    counts = Counts(seen=frames, outcomes={Outcome.SCORED: frames})
    view = fused({Modality.FACE: sums_of(leaning(Emotion.JOY), seconds=0.2 * frames)}).views[Modality.FACE]
    assert reasons_of(Modality.FACE, counts, view, duration_s=60.0) == ["face seen well for 60 s of 60"]


@pytest.mark.parametrize("modality", Modality)
def test_what_is_of_no_quality_at_all_has_a_reason_too(modality: Modality) -> None:
    [reason] = reasons_of(modality, Counts(seen=5, outcomes={Outcome.SCORED: 5}), None)
    assert any(word in reason for word in ("unsure", "noisy", "blurred"))


@pytest.mark.parametrize(
    ("modality", "words"),
    [
        (Modality.TEXT, "speech recogniser unsure"),
        (Modality.AUDIO, "voice noisy or faint"),
        (Modality.FACE, "face small, turned away or blurred"),
    ],
)
def test_poor_quality_and_little_evidence_are_said(modality: Modality, words: str) -> None:
    counts = Counts(seen=1, outcomes={Outcome.SCORED: 1})
    view = fused({modality: sums_of(leaning(Emotion.JOY), seconds=1.5, quality=0.3)}).views[modality]
    little = "only 1 frame of evidence" if modality is Modality.FACE else "only 1.5 s of evidence"
    assert reasons_of(modality, counts, view) == [words, little]


def test_every_weight_has_a_reason() -> None:
    counts = Counts(seen=5, outcomes={Outcome.SCORED: 5})
    view = fused({Modality.TEXT: sums_of(leaning(Emotion.JOY))}).views[Modality.TEXT]
    assert reasons_of(Modality.TEXT, counts, view) == ["words recognised well for 5 s"]
    assert reasons_of(Modality.FACE, Counts(), None) == ["no frames came"]
