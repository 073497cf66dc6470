"""Measures the text model as served, tokeniser and int8 included: ``python -m services.text.training.evaluate``."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.text.model import TextModel
from services.text.training.augment import Mishearing, speak
from services.text.training.corpora import emobank_raw, goemotions_raw, sst5

WEIGHTS: Final = Path(__file__).parent.parent / "weights"
NOISE_SEED: Final = 11
MISHEARD_SHARE: Final = 0.04
CALIBRATION_BINS: Final = 15
THRESHOLDS: Final = np.linspace(0.05, 0.7, 66)


def evaluate(data: Path, weights: Path = WEIGHTS) -> dict[str, float]:
    """Return every figure of the model card, by name.

    Args:
        data: Folder that holds ``text/``.
        weights: Folder of the weights.
    """
    model, folder = TextModel(weights, threads=2), data / "text"
    written = valence_figures(model, folder, spoken=False)
    spoken = {f"{name}_spoken": value for name, value in valence_figures(model, folder, spoken=True).items()}
    drops = {f"{name}_drop": written[name] - spoken[f"{name}_spoken"] for name in ("emobank_r", "sst5_accuracy")}
    return written | spoken | drops | emotion_figures(model, folder)


def valence_figures(model: TextModel, folder: Path, *, spoken: bool) -> dict[str, float]:
    """Return the figures of the served score on EmoBank's and SST-5's test splits, written or as recognised speech.

    The mean absolute error on EmoBank is given as served and after a straight line, fitted on its development split,
    has brought the score to EmoBank's own narrow scale.
    """
    texts, valence = emobank_raw(folder, "test")
    dev_texts, dev_valence = emobank_raw(folder, "dev")
    sentences = sst5(folder, "test")
    levels = np.array([example.valence for example in sentences], np.float64)
    mishearing = Mishearing(emobank_raw(folder, "train")[0], MISHEARD_SHARE) if spoken else None
    score, dev_score, stars = (
        model.predict(_heard(part, mishearing)).valences
        for part in (texts, dev_texts, [example.text for example in sentences])
    )
    slope, start = np.polyfit(dev_score, dev_valence, 1)
    return {
        "emobank_r": float(np.corrcoef(score, valence)[0, 1]),
        "emobank_mae": float(np.abs(score - valence).mean()),
        "emobank_mae_rescaled": float(np.abs(slope * score + start - valence).mean()),
        "emobank_score_sd": float(score.std()),
        "sst5_accuracy": float((stars.round() == levels).mean()),
        "sst5_mae": float(np.abs(stars - levels).mean()),
    }


def emotion_figures(model: TextModel, folder: Path) -> dict[str, float]:
    """Return macro-F1 of the seven and the calibration error on GoEmotions' test split; thresholds come from dev."""
    dev_texts, dev_counts = goemotions_raw(folder, "dev")
    thresholds = best_thresholds(model.predict(dev_texts).distributions, dev_counts > 0)
    texts, counts = goemotions_raw(folder, "test")
    distributions = model.predict(texts).distributions
    scores = [f1(distributions[:, k] > thresholds[k], counts[:, k] > 0) for k in range(counts.shape[1])]
    right = counts[np.arange(len(counts)), distributions.argmax(axis=1)] > 0
    return {
        "goemotions_macro_f1": float(np.mean(scores)),
        "goemotions_top_accuracy": float(right.mean()),
        "goemotions_ece": calibration_error(distributions.max(axis=1), right),
    }


def best_thresholds(distributions: NDArray[np.float64], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return, of shape (7,), the threshold of each emotion that gives the highest F1."""
    columns = range(labels.shape[1])
    tried = np.array([[f1(distributions[:, k] > t, labels[:, k]) for t in THRESHOLDS] for k in columns])
    return np.asarray(THRESHOLDS[tried.argmax(axis=1)])


def f1(predicted: NDArray[np.bool_], actual: NDArray[np.bool_]) -> float:
    """Return the harmonic mean of precision and recall, 0 where nothing is right."""
    return float(2 * (predicted & actual).sum() / max(1, predicted.sum() + actual.sum()))


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error over equal-width bins (Guo et al. 2017)."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))


def table(figures: dict[str, float]) -> str:
    """Return the figures as lines of a name and a number."""
    return "\n".join(f"{name:<28} {value:7.3f}" for name, value in figures.items())


def _heard(texts: Sequence[str], mishearing: Mishearing | None) -> list[str]:
    """Return texts as recognised speech, or as they are where nothing is misheard."""
    rng = np.random.default_rng(NOISE_SEED)
    return [speak(text, rng, mishearing) for text in texts] if mishearing else list(texts)


def main() -> None:
    """Print the figures of the weights in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds text/")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the weights")
    options = parser.parse_args()
    print(table(evaluate(options.data, options.weights)))


if __name__ == "__main__":
    main()
