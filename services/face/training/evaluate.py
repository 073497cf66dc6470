"""Measure the served expression model on FER+'s validation split: ``python -m services.face.training.evaluate``."""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from services.face.model import FaceModel
from services.face.settings import FaceSettings
from services.face.training import dataset
from services.face.training.dataset import Panel
from services.face.training.robustness import CHANGES, FIGURES, robustness
from shared.emotions import EMOTIONS, MOOD_VECTOR, Emotion, mood_of

_BATCH: Final = 256
_BINS: Final = 10

_NEUTRAL: Final = EMOTIONS.index(Emotion.NEUTRAL)

Distributions = NDArray[np.float64]


def evaluate(data: Path, weights: Path | None = None, every: int = 1) -> dict[str, float]:
    """Measure the model as served against the votes on FER+ ``valid``, copies of training images left out.

    Args:
        data: The data folder.
        weights: Folder of weights, or None for those that are served.
        every: Measure on every so many-th image only, for a quick look.

    Returns:
        The figures of :func:`figures` and of :func:`~services.face.training.robustness.robustness`.
    """
    model, panel = _test(data, weights)
    panel = panel.take(np.arange(len(panel)) % every == 0)
    return figures(_predict(model, panel), panel.distribution.astype(np.float64)) | robustness(model, panel)


def figures(predicted: Distributions, panel: Distributions) -> dict[str, float]:
    """Return the figures of predictions against a panel, both float arrays of shape (n, 7).

    Returns:
        By name: ``majority_accuracy``, ``tagger_agreement``, ``mood_mae``, ``mood_r``, ``ece``, ``neutral_mood`` (and
        ``neutral_mood_panel``, the panel's own), and for each emotion ``recall_…`` and ``share_ratio_…``.
    """
    top, majority = predicted.argmax(axis=1), panel.argmax(axis=1)
    mood, panel_mood = mood_of(predicted), mood_of(panel)
    measured = {
        "majority_accuracy": (top == majority).mean(),
        "tagger_agreement": panel[np.arange(len(top)), top].mean(),
        "mood_mae": np.abs(mood - panel_mood).mean(),
        "mood_r": np.corrcoef(mood, panel_mood)[0, 1],
        "ece": calibration_error(predicted, panel),
        "neutral_mood": mood[majority == _NEUTRAL].mean(),
        "neutral_mood_panel": panel_mood[majority == _NEUTRAL].mean(),
    }
    for index, emotion in enumerate(EMOTIONS):
        measured[f"recall_{emotion}"] = (top[majority == index] == index).mean()
        measured[f"share_ratio_{emotion}"] = (top == index).mean() / (majority == index).mean()
    return {name: round(float(value), 4) for name, value in measured.items()}


def calibration_error(predicted: Distributions, panel: Distributions) -> float:
    """Return the expected calibration error of the top emotion against the share of taggers who name it.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017 (https://arxiv.org/abs/1706.04599), with the
    panel's share in place of right or wrong; ten bins of equal width.
    """
    top = predicted.argmax(axis=1)
    rows = np.arange(len(top))
    confidence, share = predicted[rows, top], panel[rows, top]
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs((confidence - share)[bins == index].sum()) for index in range(_BINS)]
    return float(sum(gaps) / len(top))


def half_panels_r(votes: NDArray[np.float32]) -> float:
    """Return how the moods of one half of each panel correlate with those of the other: how exact a panel itself is.

    Args:
        votes: float32 array of shape (n, 7), votes for each emotion; panels of a single vote are left out.
    """
    rng, counts = np.random.default_rng(0), votes[votes.sum(axis=1) > 1].astype(np.int64)
    first = np.array([rng.multivariate_hypergeometric(row, row.sum() // 2) for row in counts])
    one, other = (mood_of(half / half.sum(axis=1, keepdims=True)) for half in (first, counts - first))
    return float(np.corrcoef(one, other)[0, 1])


def people(votes: NDArray[np.float32]) -> dict[str, float]:
    """Return how well people and a constant do on the same images, to compare with.

    Args:
        votes: float32 array of shape (n, 7), votes for each emotion; panels of a single vote are left out for people.

    Returns:
        By name: ``tagger_mood_mae``, one tagger's mood against the mean of the others; ``taggers_agreement``, how often
        two taggers name the same emotion; ``constant_mood_mae``, the median mood of all panels against each.
    """
    counts = votes[votes.sum(axis=1) > 1].astype(np.float64)
    number, moods = counts.sum(axis=1, keepdims=True), (counts @ MOOD_VECTOR)[:, None]
    errors = (counts * np.abs(MOOD_VECTOR - (moods - MOOD_VECTOR) / (number - 1))).sum(axis=1) / number[:, 0]
    alike = (counts * (counts - 1)).sum(axis=1) / (number * (number - 1))[:, 0]
    panel_moods = mood_of(votes / votes.sum(axis=1, keepdims=True))
    return {
        "tagger_mood_mae": float(errors.mean()),
        "taggers_agreement": float(alike.mean()),
        "constant_mood_mae": float(np.abs(panel_moods - np.median(panel_moods)).mean()),
    }


def confusion(predicted: Distributions, panel: Distributions) -> NDArray[np.int_]:
    """Return how many images of each majority (rows) got each top emotion (columns), shape (7, 7)."""
    counts = np.zeros((len(EMOTIONS), len(EMOTIONS)), dtype=np.int_)
    np.add.at(counts, (panel.argmax(axis=1), predicted.argmax(axis=1)), 1)
    return counts


def _predict(model: FaceModel, panel: Panel) -> Distributions:
    batches = [model.predict(panel.images[at : at + _BATCH]).distributions for at in range(0, len(panel), _BATCH)]
    return np.concatenate(batches)


def _test(data: Path, weights: Path | None) -> tuple[FaceModel, Panel]:
    settings = FaceSettings()
    panel = dataset.load(data, "valid")
    named = panel.votes[:, : len(EMOTIONS)].sum(axis=1) > 0
    return FaceModel(weights or settings.weights, settings.threads), panel.take(named)


def _show(measured: dict[str, float], counts: NDArray[np.int_], changed: dict[str, float]) -> None:
    console = Console(width=120)
    overall = Table("figure", "value", title="FER+ valid without copies of training images, as served")
    for name, value in measured.items():
        if not name.startswith(("recall_", "share_ratio_")):
            overall.add_row(name, f"{value:.3f}")
    by_class = Table("majority \\ top", *EMOTIONS, "recall", "share ratio", title="Confusion, images")
    for emotion, row in zip(EMOTIONS, counts, strict=True):
        rates = (measured[f"recall_{emotion}"], measured[f"share_ratio_{emotion}"])
        by_class.add_row(emotion, *map(str, row.tolist()), *(f"{rate:.2f}" for rate in rates))
    robust = Table("change", *FIGURES, title="The same images, changed")
    for name in CHANGES:
        robust.add_row(name, *(f"{changed[f'{figure}_{name}']:.3f}" for figure in FIGURES))
    console.print(overall, by_class, robust)


def main() -> None:
    """Print the figures, the confusion matrix and what each change of the images costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with face/ferplus.npz")
    parser.add_argument("--weights", type=Path, help="folder of weights; by default those that are served")
    options = parser.parse_args()
    model, panel = _test(options.data, options.weights)
    predicted, distribution = _predict(model, panel), panel.distribution.astype(np.float64)
    votes = panel.votes[:, : len(EMOTIONS)]
    measured = figures(predicted, distribution) | {"half_panels_r": half_panels_r(votes)} | people(votes)
    _show(measured, confusion(predicted, distribution), robustness(model, panel))


if __name__ == "__main__":
    main()
