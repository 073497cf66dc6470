"""Measure the audio model on speakers and corpora it has not heard: ``python -m services.audio.training.evaluate``."""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from services.audio.features import prosody
from services.audio.scorer import reason_to_abstain
from services.audio.training.corpus import AS_IS, DEFAULT_CACHE, DEFAULT_DATA, Clips, Treatment, load_clips
from services.audio.training.robustness import robustness
from services.audio.training.synthetic import nonspeech
from services.audio.training.treatments import TRAINED_ON, worsened
from services.audio.training.validation import (
    FOLDS,
    Distributions,
    OutOfFold,
    expected_calibration_error,
    left_out,
    served_out_of_fold,
    under,
    unweighted_average_recall,
)
from services.audio.worker import load_scorer
from shared.emotions import EMOTIONS, Emotion, mood_of
from shared.scoring import SpeechWindow

SEEDS: Final = (0, 1, 2)
TEST_CORPUS: Final = "ravdess"

_NONSPEECH_COUNT: Final = 200
_SPEECH_COUNT: Final = 400
_NEUTRAL: Final = EMOTIONS.index(Emotion.NEUTRAL)


def evaluate(data: Path, cache: Path = DEFAULT_CACHE) -> dict[str, float]:
    """Return the scoreboard's figures: means over seeds, and their spread over seeds and folds.

    Args:
        data: The data folder.
        cache: Where features are kept between runs.
    """
    worse = worsened(data, TEST_CORPUS)
    clips = load_clips(data, cache, treatments=[*TRAINED_ON, *worse])
    with tqdm(unit="head", desc="heads") as progress:
        runs = [_round(clips, left_out(clips, seed, progress.update), worse) for seed in SEEDS]
    figures = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
    figures["ravdess_uar_seed_sd"] = float(np.std([run["ravdess_uar"] for run in runs]))
    figures["left_out_uar_seed_sd"] = float(np.std([run["left_out_uar"] for run in runs]))
    figures["nonspeech_scored_share"] = scored_share(nonspeech(_NONSPEECH_COUNT, seed=0))
    figures["speech_scored_share"] = scored_share(_speech(data))
    return figures | read_speech(data)


def _round(clips: Clips, held: Sequence[OutOfFold], worse: Sequence[Treatment]) -> dict[str, float]:
    return figures_of(*under(AS_IS, clips, held)) | robustness(clips, held[0], worse)


def read_speech(data: Path) -> dict[str, float]:
    """Return what the shipped weights make of LibriSpeech: audiobooks, where no emotion ought to prevail."""
    windows = [
        SpeechWindow(session_id="read-speech", start_s=0.0, samples=soundfile.read(file, dtype="float32")[0])
        for file in sorted((data / "asr" / "audio").glob("*.flac"))
    ]
    scored = [judgement for judgement in load_scorer().score(windows) if judgement.distribution is not None]
    tops = [max(said, key=said.__getitem__) for said in (judgement.distribution or {} for judgement in scored)]
    return {
        "read_speech_mood": float(np.mean([judgement.mood for judgement in scored])),
        "read_speech_angry_or_sad_share": float(np.mean([top in (Emotion.ANGER, Emotion.SADNESS) for top in tops])),
        "read_speech_neutral_share": float(np.mean([top is Emotion.NEUTRAL for top in tops])),
    }


def figures_of(clips: Clips, held: Sequence[OutOfFold]) -> dict[str, float]:
    """Return what one round of predictions shows; most of it on RAVDESS, where that is among the clips.

    Args:
        clips: All clips.
        held: As ``validation.left_out`` gives them.
    """
    distributions = served_out_of_fold(clips, held[0], held[0])
    moods = mood_of(distributions)
    neutral = clips.emotions == _NEUTRAL
    figures = {
        f"neutral_mood_{gender.lower()}": float(moods[neutral & (clips.genders == gender)].mean()) for gender in "FM"
    }
    figures |= {f"{corpus}_uar": uar for corpus, uar in _uars(clips, distributions).items()}
    chosen = clips.corpora == TEST_CORPUS
    figures |= _test_figures(clips, held[0], distributions, chosen) if chosen.any() else {}
    return figures | (_left_out_figures(clips, held) if len(held) > 1 else {})


def _uars(clips: Clips, distributions: Distributions) -> dict[str, float]:
    parts = {str(corpus): clips.corpora == corpus for corpus in np.unique(clips.corpora)}
    return {
        corpus: unweighted_average_recall(distributions[part], clips.emotions[part]) for corpus, part in parts.items()
    }


def _left_out_figures(clips: Clips, held: Sequence[OutOfFold]) -> dict[str, float]:
    distributions = served_out_of_fold(clips, held[1], held[0])
    uars = _uars(clips, distributions)
    by_gender: dict[str, float] = {}
    for gender in "FM":
        part = clips.genders == gender
        some, said = clips.take(part), distributions[part]
        by_gender[f"left_out_uar_{gender.lower()}"] = float(np.mean(list(_uars(some, said).values())))
        by_gender[f"left_out_ece_{gender.lower()}"] = expected_calibration_error(said, some.emotions)
    by_corpus = {f"left_out_uar_{corpus}": uar for corpus, uar in uars.items()}
    return (
        by_corpus
        | by_gender
        | {
            "left_out_uar": float(np.mean(list(uars.values()))),
            "left_out_ece": expected_calibration_error(distributions, clips.emotions),
        }
    )


def _test_figures(
    clips: Clips, held: OutOfFold, distributions: Distributions, chosen: NDArray[np.bool_]
) -> dict[str, float]:
    test, said = clips.take(chosen), distributions[chosen]
    by_fold = [
        unweighted_average_recall(distributions[part], clips.emotions[part])
        for part in (chosen & (held.folds == fold) for fold in range(FOLDS))
    ]
    figures = {
        "ravdess_uar_equal_prior": unweighted_average_recall(held.logits.emotion[chosen], test.emotions),
        "ravdess_uar_fold_sd": float(np.std(by_fold)),
    }
    genders = {"": np.ones(len(test), np.bool_), "_f": test.genders == "F", "_m": test.genders == "M"}
    for suffix, part in genders.items():
        figures[f"ravdess_uar{suffix}"] = unweighted_average_recall(said[part], test.emotions[part])
        figures[f"ravdess_ece{suffix}"] = expected_calibration_error(said[part], test.emotions[part])
        figures[f"ravdess_strength_auc{suffix}"] = float(
            roc_auc_score(test.strong[part], held.logits.strength[chosen][part])
        )
    return figures


def scored_share(waves: Iterable[NDArray[np.float32]]) -> float:
    """Return the share of sounds that the scorer does not abstain from."""
    return float(np.mean([reason_to_abstain(prosody(wave)) is None for wave in waves]))


def _speech(data: Path) -> Iterable[NDArray[np.float32]]:
    """Read LibriSpeech utterances and a spread of the acted clips."""
    acted = sorted((data / "speech").glob("*/*.ogg"))
    files = [*sorted((data / "asr" / "audio").glob("*.flac")), *acted[:: max(1, len(acted) // _SPEECH_COUNT)]]
    for file in tqdm(files, unit="clip", desc="speech"):
        yield soundfile.read(file, dtype="float32")[0]


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Measure the audio model.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="the data folder (%(default)s)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where features are kept (%(default)s)")
    chosen = parser.parse_args()
    print(json.dumps(evaluate(chosen.data, chosen.cache), indent=2))


if __name__ == "__main__":
    main()
