"""Corpora, augmentation, calibration and figures of the text model's training, without its framework."""

from pathlib import Path

import numpy as np
import pytest

from services.text.training import lexicon
from services.text.training.augment import FILLERS, Mishearing, sound, speak
from services.text.training.calibrate import fit_scale, fit_temperature, scale, softmax
from services.text.training.corpora import CORPORA, EKMAN, emobank, goemotions, isear, sst5, sst5_phrases
from services.text.training.evaluate import best_thresholds, calibration_error, f1
from services.text.training.generated import generated
from shared.emotions import EMOTIONS, Emotion
from shared.errors import BadInputError


def _share(emotions: tuple[float, ...] | None, emotion: Emotion) -> float:
    assert emotions is not None
    return emotions[EMOTIONS.index(emotion)]


def test_several_labels_share_the_mass(tmp_path: Path) -> None:
    folder = tmp_path / "goemotions"
    folder.mkdir()
    (folder / "labels.txt").write_text("\n".join(EKMAN))
    labels = [list(EKMAN).index(name) for name in ("anger", "annoyance", "neutral")]
    (folder / "train.tsv").write_text(f"a text\t{','.join(map(str, labels))}\tid\n")
    (example,) = goemotions(tmp_path, "train")
    assert _share(example.emotions, Emotion.ANGER) == pytest.approx(2 / 3)
    assert _share(example.emotions, Emotion.NEUTRAL) == pytest.approx(1 / 3)
    assert example.valence == pytest.approx(7 / 3)


def test_the_narrow_scale_is_spread_and_kept_in_range(tmp_path: Path) -> None:
    (tmp_path / "emobank.csv").write_text(
        "id,split,V,A,D,text\na,train,3.4,3,3,one\nb,train,1.2,3,3,two\nc,dev,3,3,3,no\n"
    )
    assert [example.valence for example in emobank(tmp_path, "train")] == pytest.approx([3.8, 1.0])


def test_test_sentences_are_kept_out_of_training(tmp_path: Path) -> None:
    for split, text in {
        "train": "in both\n3\t4\tonly here",
        "test": "in both",
        "train_phrases": "a phrase\n2\t3\tword",
    }.items():
        (tmp_path / f"sst5_{split}.tsv").write_text(f"label\tlabel_1to5\ttext\n1\t2\t{text}\n")
    assert [example.text for example in sst5(tmp_path, "train")] == ["only here"]
    assert [example.text for example in sst5(tmp_path, "test")] == ["in both"]
    assert [example.text for example in sst5_phrases(tmp_path, "train")] == ["a phrase"]


def test_shame_is_sadness_and_the_valence_weak(tmp_path: Path) -> None:
    (tmp_path / "isear.tsv").write_text("emotion\ttext\nshame\tWhen it happened.\n")
    (example,) = isear(tmp_path, "train")
    assert _share(example.emotions, Emotion.SADNESS) == 1
    assert example.valence_weight < 0.5


@pytest.mark.parametrize("name", CORPORA)
def test_missing_data_says_what_to_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--data"):
        CORPORA[name](tmp_path, "train")


def test_speech_has_no_punctuation_or_capitals_and_keeps_its_negations() -> None:
    rng = np.random.default_rng(0)
    spoken = [speak("No, I do n't like it -- not AT all!", rng) for _ in range(200)]
    assert all(set(text) <= set("abcdefghijklmnopqrstuvwxyz '") for text in spoken)
    assert all("no" in text.split() and "not" in text.split() and "don't" in text.split() for text in spoken)
    assert len(set(spoken)) > 20
    assert any(filler in text for text in spoken for filler in FILLERS)


def test_words_are_taken_for_others_that_sound_alike() -> None:
    mishearing = Mishearing(["one knight at night, not by day"] * 9, share=1.0)
    rng = np.random.default_rng(0)
    assert sound("knight") == sound("night") != sound("not")
    assert {mishearing.hear("knight", rng) for _ in range(9)} == {"night"}
    assert mishearing.hear("unheard", rng) == "unheard"
    assert mishearing.hear("not", rng) == "not", "a negation is never lost"
    assert "knight" not in speak("A knight!", rng, mishearing)


def test_a_share_of_the_words_is_misheard() -> None:
    mishearing = Mishearing(["bat pat"] * 9, share=0.3)
    rng = np.random.default_rng(0)
    assert np.mean([mishearing.hear("bat", rng) == "pat" for _ in range(2000)]) == pytest.approx(0.3, abs=0.04)


def test_generated_examples_fill_every_slot_and_mean_what_they_say() -> None:
    examples = generated()
    assert examples == generated()
    assert not any("{" in example.text or "|" in example.text for example in examples)
    assert all(example.valence is not None and 1 <= example.valence <= 5 for example in examples)
    by_text = {example.text.lower().rstrip("."): example.valence or 0.0 for example in examples}
    good, denied = ({f"{start} {word}" for word in lexicon.GOOD} & by_text.keys() for start in ("it was", "it was not"))
    assert good
    assert denied
    assert all(by_text[text] > 3 for text in good)
    assert all(by_text[text] < 3 for text in denied)


def test_what_cannot_be_spoken_stays() -> None:
    assert speak(":-)", np.random.default_rng(0)) == ":-)"


def test_the_temperature_cools_an_overconfident_model() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(4000, 7)) * 1.5
    labels = np.array([rng.multinomial(1, row) for row in softmax(honest)], np.float64)
    assert fit_temperature(honest * 1.6, labels) == pytest.approx(1.6, abs=0.2)


def test_the_scale_is_found_again() -> None:
    levels = np.random.default_rng(0).integers(1, 6, 4000).astype(np.float64)
    noise = np.random.default_rng(1).normal(0, 0.15, 4000)
    squeezed = 3 + (levels - 3) / 1.4 + noise
    slope = fit_scale(squeezed, levels)
    assert slope == pytest.approx(1.4, abs=0.1)
    assert scale(np.array([0.0, 3.0, 9.0]), slope).tolist() == pytest.approx([1, 3, 5])


def test_figures_of_known_answers() -> None:
    assert f1(np.array([True, True, False]), np.array([True, False, True])) == pytest.approx(0.5)
    assert calibration_error(np.full(100, 0.9), np.arange(100) < 60) == pytest.approx(0.3)
    shares = np.array([[0.2], [0.3], [0.6], [0.1]])
    (threshold,) = best_thresholds(shares, shares > 0.25)
    assert 0.2 <= threshold < 0.3
