"""Train the audio head and write it with its manifest: ``python -m services.audio.training.train``."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from services.audio.model import HEAD_NAME
from services.audio.settings import AudioSettings
from services.audio.training.corpus import AS_IS, DEFAULT_CACHE, DEFAULT_DATA, Clips, load_clips
from services.audio.training.evaluate import figures_of
from services.audio.training.head import Calibration, export_head, serving_model, train_head
from services.audio.training.treatments import TRAINED_ON
from services.audio.training.validation import OutOfFold, calibrate, left_out, under
from shared.emotions import EMOTIONS
from shared.weights import Manifest, load_manifest, write_manifest

VERSION: Final = "0.4.0"
TERMS: Final[dict[str, str]] = {
    "ravdess": "RAVDESS, CC BY-NC-SA 4.0",
    "tess": "TESS, CC BY-NC-ND 4.0",
    "emodb": "EmoDB, free to use",
    "nemo": "nEMO, CC BY-NC-SA 4.0",
}
NON_COMMERCIAL: Final = ("ravdess", "tess", "nemo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    data: Path
    cache: Path
    out: Path
    exclude: tuple[str, ...]
    seed: int


def train(options: Options) -> Manifest:
    """Train on every clip, calibrate on out-of-fold predictions, and write weights and manifest.

    Returns:
        The manifest as written.
    """
    clips = load_clips(options.data, options.cache, options.exclude, TRAINED_ON)
    with tqdm(unit="head", desc="heads") as progress:
        as_is, held = under(AS_IS, clips, left_out(clips, options.seed, progress.update))
        calibration = calibrate(as_is, held[0])
        model = train_head(clips, options.seed)
        progress.update()
    options.out.mkdir(parents=True, exist_ok=True)
    export_head(serving_model(model, calibration), options.out / HEAD_NAME)
    write_manifest(options.out, _manifest(options, as_is, held, calibration))
    return load_manifest(options.out)


def _manifest(options: Options, clips: Clips, held: Sequence[OutOfFold], calibration: Calibration) -> Manifest:
    corpora = [str(corpus) for corpus in np.unique(clips.corpora)]
    restricted = any(corpus in NON_COMMERCIAL for corpus in corpora)
    excluded = f" --exclude {' '.join(options.exclude)}" if options.exclude else ""
    elsewhere = f" --out {options.out}" if options.out != AudioSettings().weights else ""
    return Manifest(
        name="mien-audio" if restricted else "mien-audio-open",
        version=VERSION,
        labels=tuple(EMOTIONS),
        licence="Non-commercial use only (CC BY-NC-SA 4.0, from the data)" if restricted else "Apache-2.0",
        data=tuple(TERMS[corpus] for corpus in corpora),
        command=f"python -m services.audio.training.train --seed {options.seed}{excluded}{elsewhere}",
        seed=options.seed,
        figures={"temperature": calibration.temperature} | figures_of(clips, held),
        sha256={},
    )


def _options() -> Options:
    parser = argparse.ArgumentParser(description="Train the audio head.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="the data folder (%(default)s)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where features are kept (%(default)s)")
    parser.add_argument("--out", type=Path, default=AudioSettings().weights, help="where the weights go")
    parser.add_argument("--exclude", nargs="*", default=[], choices=sorted(TERMS), help="corpora to leave out")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    return Options(
        data=chosen.data, cache=chosen.cache, out=chosen.out, exclude=tuple(chosen.exclude), seed=chosen.seed
    )


if __name__ == "__main__":
    print(train(_options()).model_dump_json(indent=2))
