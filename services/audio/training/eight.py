"""Measure the head on the eight classes of RAVDESS, calm apart: ``python -m services.audio.training.eight``.

A variant to compare with others' figures: trained on RAVDESS alone, as theirs are, and not served.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from services.audio.training.corpus import AS_IS, DEFAULT_CACHE, DEFAULT_DATA, Clips, load_clips
from services.audio.training.evaluate import SEEDS, TEST_CORPUS
from services.audio.training.train import TERMS
from services.audio.training.treatments import TRAINED_ON
from services.audio.training.validation import FOLDS, out_of_fold, speaker_folds, under, unweighted_average_recall
from shared.emotions import EMOTIONS

_CALM: Final = len(EMOTIONS)


def evaluate_eight(data: Path, cache: Path = DEFAULT_CACHE) -> dict[str, float]:
    """Return the recall of actors never heard, women and men too: its mean over seeds, and its spread.

    Args:
        data: The data folder.
        cache: Where features are kept between runs.
    """
    clips = load_clips(data, cache, [corpus for corpus in TERMS if corpus != TEST_CORPUS], TRAINED_ON)
    clips = replace(clips, emotions=np.where(clips.calm, _CALM, clips.emotions))
    with tqdm(unit="head", desc="heads") as progress:
        runs = [_recalls(clips, seed, progress) for seed in SEEDS]
    figures = {f"eight_{name}": float(np.mean([run[name] for run in runs])) for name in runs[0]}
    return figures | {"eight_uar_seed_sd": float(np.std([run["uar"] for run in runs]))}


def _recalls(clips: Clips, seed: int, progress: "tqdm[None]") -> dict[str, float]:
    folds = speaker_folds(clips, seed)
    heard, [held] = under(AS_IS, clips, [out_of_fold(clips, folds, seed, progress.update, _CALM + 1)])

    def recall(part: NDArray[np.bool_]) -> float:
        return unweighted_average_recall(held.logits.emotion[part], heard.emotions[part])

    return {
        "uar": recall(np.ones(len(heard), np.bool_)),
        "uar_f": recall(heard.genders == "F"),
        "uar_m": recall(heard.genders == "M"),
        "uar_fold_sd": float(np.std([recall(held.folds == fold) for fold in range(FOLDS)])),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Measure the head on RAVDESS's eight classes.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="the data folder (%(default)s)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where features are kept (%(default)s)")
    chosen = parser.parse_args()
    print(json.dumps(evaluate_eight(chosen.data, chosen.cache), indent=2))


if __name__ == "__main__":
    main()
