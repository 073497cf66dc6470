"""Votes, augmentation and figures of the face model's training."""

from pathlib import Path

import numpy as np
import pytest

from services.face.training.augment import augment
from services.face.training.dataset import Panel, fold_votes, load, split_off
from services.face.training.evaluate import calibration_error, confusion, figures
from shared.emotions import EMOTIONS, Emotion
from shared.errors import BadInputError

#        neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face
VOTES = np.array([[1, 2, 0, 0, 0, 3, 0, 2, 1, 1]], dtype=np.uint8)


def _at(emotion: Emotion) -> int:
    return EMOTIONS.index(emotion)


def test_votes_are_folded_and_none_is_lost() -> None:
    folded = fold_votes(VOTES)[0]
    assert folded[_at(Emotion.NEUTRAL)] == 1
    assert folded[_at(Emotion.JOY)] == 2
    assert folded[_at(Emotion.DISGUST)] == 5  # with contempt
    assert folded[7] == 2  # unknown and not a face
    assert folded.sum() == VOTES.sum()


def test_shares_count_every_answer_and_the_distribution_only_emotions() -> None:
    panel = Panel(images=np.zeros((1, 48, 48), np.uint8), votes=fold_votes(VOTES))
    assert panel.shares[0, 7] == pytest.approx(0.2)
    assert panel.distribution[0].sum() == pytest.approx(1)
    assert panel.distribution[0, _at(Emotion.DISGUST)] == pytest.approx(5 / 8)


def test_copies_of_an_image_are_held_out_together() -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 48, 48), dtype=np.uint8)
    panel = Panel(images=np.concatenate([images, images]), votes=np.ones((400, 8), np.float32))
    rest, held_out = split_off(panel, 0.3, seed=1)
    assert len(rest) + len(held_out) == 400
    assert 60 < len(held_out) < 180
    assert not {image.tobytes() for image in rest.images} & {image.tobytes() for image in held_out.images}


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--data"):
        load(tmp_path, "train")


def test_augmentation_is_seeded_and_keeps_the_shape() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    first, second = ([augment(image, rng) for _ in range(60)] for rng in map(np.random.default_rng, (5, 5)))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert {(made.shape, made.dtype.str) for made in first} == {((48, 48), "|u1")}
    assert len({made.tobytes() for made in first}) == 60


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


def test_confusion_has_the_majority_in_rows() -> None:
    counts = confusion(np.eye(7)[[1, 1, 2]], np.eye(7)[[0, 1, 2]])
    assert counts[0, 1] == counts[1, 1] == counts[2, 2] == 1
    assert counts.sum() == 3
