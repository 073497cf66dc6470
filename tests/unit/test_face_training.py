"""Votes, augmentation and figures of the face model's training."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.face.training.augment import augment, cover_mouth, mix, strength_of
from services.face.training.calibrate import Calibration, calibrate, even_out, fit_to_votes, sharpen
from services.face.training.dataset import (
    FERPLUS,
    Panel,
    fold_votes,
    load,
    load_fer2013,
    split_off,
    with_mouth_covered,
)
from services.face.training.evaluate import calibration_error, confusion, figures, half_panels_r, people
from services.face.training.robustness import CHANGES
from shared.emotions import EMOTIONS, Emotion, mood_of
from shared.errors import BadInputError

#        neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face
VOTES = np.array([[1, 2, 0, 0, 0, 3, 0, 2, 1, 1]], dtype=np.uint8)


def _at(emotion: Emotion) -> int:
    return EMOTIONS.index(emotion)


def test_votes_are_folded_and_none_is_lost() -> None:
    folded = fold_votes(VOTES)[0]
    assert folded[_at(Emotion.NEUTRAL)] == 3  # with contempt
    assert folded[_at(Emotion.JOY)] == 2
    assert folded[_at(Emotion.DISGUST)] == 3
    assert folded[7] == 2  # unknown and not a face
    assert folded.sum() == VOTES.sum()


def test_shares_count_every_answer_and_the_distribution_only_emotions() -> None:
    panel = Panel(images=np.zeros((1, 48, 48), np.uint8), votes=fold_votes(VOTES))
    assert panel.shares[0, 7] == pytest.approx(0.2)
    assert panel.distribution[0].sum() == pytest.approx(1)
    assert panel.distribution[0, _at(Emotion.DISGUST)] == pytest.approx(3 / 8)


def test_copies_of_an_image_are_held_out_together() -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 48, 48), dtype=np.uint8)
    panel = Panel(images=np.concatenate([images, images]), votes=np.ones((400, 8), np.float32))
    rest, held_out = split_off(panel, 0.3, seed=1)
    assert len(rest) + len(held_out) == 400
    assert 60 < len(held_out) < 180
    assert not {image.tobytes() for image in rest.images} & {image.tobytes() for image in held_out.images}


def _write_ferplus(folder: Path) -> None:
    (folder / FERPLUS).parent.mkdir()
    np.savez(
        folder / FERPLUS,
        images=np.zeros((4, 48, 48), np.uint8),
        votes=np.repeat(VOTES, 4, axis=0),
        fer2013_label=np.array(["happy", "sad", "neutral", "angry"], dtype=object),
        split=np.array(["train", "valid", "valid", "valid"]),
        dup_in_train=np.array([False, False, True, False]),
    )


def test_copies_are_left_out_and_fer2013_labels_are_whole_panels(tmp_path: Path) -> None:
    _write_ferplus(tmp_path)
    assert len(load(tmp_path, "valid")) == 2
    labelled = load_fer2013(tmp_path, "valid")
    assert labelled.votes.argmax(axis=1).tolist() == [_at(Emotion.SADNESS), _at(Emotion.ANGER)]
    assert (labelled.votes.sum(axis=1) == 1).all()


def test_a_covered_mouth_makes_part_of_the_panel_unsure() -> None:
    shares = fold_votes(VOTES) / VOTES.sum()
    changed = with_mouth_covered(shares)
    assert changed.sum() == pytest.approx(1)
    assert changed[0, 7] > 0.4 > shares[0, 7]
    assert changed[0, :7] / changed[0, :7].sum() == pytest.approx(shares[0, :7] / shares[0, :7].sum())


def test_covering_the_mouth_hides_the_mouth_and_leaves_the_eyes() -> None:
    image, rng = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1)), np.random.default_rng(0)
    covered = np.array([cover_mouth(image, rng) for _ in range(50)]) != image
    assert covered[:, 34:40, 20:28].mean() > 0.9
    assert not covered[:, :20].any()


def test_the_augmentation_strengthens() -> None:
    strengths = [strength_of(epoch, 10) for epoch in range(10)]
    assert strengths == sorted(set(strengths))
    assert 0 < strengths[0] < strengths[-1] <= 1


def test_a_weak_augmentation_changes_less() -> None:
    image = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
    image = np.minimum(image, image[:, ::-1])  # mirroring changes nothing

    def change(strength: float) -> float:
        rng = np.random.default_rng(0)
        made = [augment(image, rng, strength).astype(float) for _ in range(100)]
        return float(np.mean([np.abs(one - image).mean() for one in made]))

    assert change(0.2) < change(0.6) < change(1.0)


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--data"):
        load(tmp_path, "train")


def test_augmentation_is_seeded_and_keeps_the_shape() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    first, second = ([augment(image, rng) for _ in range(60)] for rng in map(np.random.default_rng, (5, 5)))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert {(made.shape, made.dtype.str) for made in first} == {((48, 48), "|u1")}
    assert len({made.tobytes() for made in first}) == 60


def test_mixed_faces_have_mixed_answers() -> None:
    rng = np.random.default_rng(5)
    shares = rng.dirichlet(np.ones(8), 6).astype(np.float32)
    faces = np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1) * np.ones((1, 48, 48, 1), np.float32)
    mixed, answers, weights = mix((faces, shares, np.ones(6, np.float32)), rng, 0.3)
    assert mixed.dtype == answers.dtype == weights.dtype == np.float32
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(weights, 1)
    assert np.allclose(mixed.mean(axis=0), faces.mean(axis=0), atol=1e-5), "each is mixed in as much as another"
    assert np.allclose(answers.mean(axis=0), shares.mean(axis=0), atol=1e-5)
    assert not np.allclose(mixed, faces)


def test_figures_of_a_panel_that_predicts_itself() -> None:
    panel = np.random.default_rng(0).dirichlet(np.full(7, 0.3), 500)
    measured = figures(panel, panel)
    assert measured["majority_accuracy"] == 1
    assert measured["mood_mae"] == 0
    assert measured["mood_r"] == 1
    assert measured["ece"] == 0
    assert all(measured[f"share_ratio_{emotion}"] == 1 for emotion in EMOTIONS)
    assert measured["tagger_agreement"] == pytest.approx(panel.max(axis=1).mean(), abs=1e-4)


def test_overconfidence_is_calibration_error() -> None:
    panel = np.tile([0.6, 0.4, 0, 0, 0, 0, 0], (50, 1))
    predicted = np.tile([0.9, 0.1, 0, 0, 0, 0, 0], (50, 1))
    assert calibration_error(predicted, panel) == pytest.approx(0.3)


def test_halves_of_panels_that_agree_correlate_and_halves_of_chance_do_not() -> None:
    rng = np.random.default_rng(0)
    agreed = (10 * np.eye(7)[rng.integers(0, 7, 400)]).astype(np.float32)
    chance = rng.multinomial(10, np.full(7, 1 / 7), 400).astype(np.float32)
    assert half_panels_r(agreed) == pytest.approx(1)
    assert abs(half_panels_r(chance)) < 0.2


def test_people_err_by_what_they_disagree_in() -> None:
    neutral, joy = (10 * np.eye(7, dtype=np.float32)[_at(each)] for each in (Emotion.NEUTRAL, Emotion.JOY))
    gap = float(mood_of(np.eye(7)[_at(Emotion.JOY)]) - mood_of(np.eye(7)[_at(Emotion.NEUTRAL)]))
    agreed = people(np.array([neutral, joy, joy]))
    assert agreed == pytest.approx({"tagger_mood_mae": 0, "taggers_agreement": 1, "constant_mood_mae": gap / 3})
    split = people(np.array([(neutral + joy) / 2]))
    # Each of five meets five of the other kind among nine.
    assert split == pytest.approx({"tagger_mood_mae": 5 / 9 * gap, "taggers_agreement": 4 / 9, "constant_mood_mae": 0})


def test_confusion_has_the_majority_in_rows() -> None:
    counts = confusion(np.eye(7)[[1, 1, 2]], np.eye(7)[[0, 1, 2]])
    assert counts[0, 1] == counts[1, 1] == counts[2, 2] == 1
    assert counts.sum() == 3


def _answers(count: int = 3000) -> tuple[NDArray[np.float32], Panel]:
    """Logits of a made-up network and panels of ten that vote by them, sharper than the network believes."""
    rng = np.random.default_rng(1)
    usual = np.array([0, -2, -1, 1.5, 1.5, 0, 0, -3])
    raw = rng.normal(0, 1, (count, 8)) + usual
    odds = np.exp(2 * raw)
    votes = np.array([rng.multinomial(10, row) for row in odds / odds.sum(axis=1, keepdims=True)], dtype=np.float32)
    return raw.astype(np.float32), Panel(images=np.zeros((count, 48, 48), np.uint8), votes=votes)


def test_calibration_finds_the_slope_and_the_bias_of_votes() -> None:
    raw, panel = _answers()
    found = fit_to_votes(raw - np.float32(0.3) * (np.arange(8) == 5), panel.shares)
    assert found.scale == pytest.approx(2, rel=0.05)
    assert found.bias[5] - found.bias[6] == pytest.approx(0.6, abs=0.1)


def test_sharpening_lowers_the_error_of_the_mood_and_keeps_confidence_true() -> None:
    raw, panel = _answers()
    distribution = panel.distribution.astype(np.float64)
    fitted = fit_to_votes(raw, panel.shares)
    sharper = sharpen(fitted, raw, distribution)
    before, after = (
        np.abs(mood_of(each.distribution(raw)) - mood_of(distribution)).mean() for each in (fitted, sharper)
    )
    assert sharper.scale >= fitted.scale
    assert after <= before
    assert calibration_error(sharper.distribution(raw), distribution) <= 0.03


def test_evening_out_makes_a_rare_answer_as_frequent_as_it_is_the_majority() -> None:
    raw, panel = _answers()
    distribution, fear = panel.distribution.astype(np.float64), _at(Emotion.FEAR)
    biased = Calibration(2.0, np.where(np.arange(8) == fear, -1.0, 0.0).astype(np.float32))
    wanted = (distribution.argmax(axis=1) == fear).mean()
    before, after = (
        (each.distribution(raw).argmax(axis=1) == fear).mean() for each in (biased, even_out(biased, raw, distribution))
    )
    assert before < 0.8 * wanted
    assert 0.8 < after / wanted < 1.25


def test_calibrating_makes_distributions() -> None:
    raw, panel = _answers(500)
    made = calibrate(raw, panel).distribution(raw)
    assert made.shape == (500, 7)
    assert made.sum(axis=1) == pytest.approx(np.ones(500))


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "unchanged"])
def test_each_change_is_the_same_every_time_and_changes_the_image(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    first, second = CHANGES[name](image), CHANGES[name](image)
    assert (first == second).all()
    assert first.dtype == np.uint8
    assert first.shape != image.shape or (first != image).any()
