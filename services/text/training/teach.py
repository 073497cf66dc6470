"""Asks a teacher about every training text: ``python -m services.text.training.teach``; see ``--help``.

It is all-mpnet-base-v2, trained by ``python -m services.text.training.train --mpnet FOLDER --until …``, or the version
of the weights that was served before, whose answers keep what it has learnt while something is added to it.
"""

import argparse
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from services.text.model import TextModel
from services.text.training.calibrate import softmax
from services.text.training.corpora import CORPORA
from services.text.training.encoder import build_model
from services.text.training.lessons import of_answers
from services.text.training.packaged import PACKAGES, read_packaged
from services.text.training.pretrained import mpnet
from services.text.training.train import predict

ASKED: Final = ("emobank", "sst5", "posts", "goemotions")
BROWN_SENTENCES: Final = 24_000
"""Of the Brown corpus, drawn at random: all of it would take MPNet half an hour more."""

ASKED_TOGETHER: Final = 1000
MAX_LENGTH: Final = 64

Answers = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Distributions of shape (n, 7) and valences of shape (n,), 1..5."""


def main() -> None:
    """Load the teacher, ask it and write its answers."""
    options = _options()
    texts = sorted(_texts(options.data / "text", options.packages, options.brown), key=len)
    ask = _ask_served if options.served else _ask_mpnet
    distributions, valences = ask(texts, options)
    of_answers(texts, distributions, valences).write(options.out)
    print(f"{len(texts):,} answers in {options.out}")


def _ask_mpnet(texts: list[str], options: argparse.Namespace) -> Answers:
    keras.config.set_dtype_policy(options.precision)
    encoder = mpnet(options.mpnet, dropout=0.0)
    model = build_model(encoder.config)
    model.load_weights(options.checkpoint)
    logits, valences = predict(model, encoder.tokenizer(MAX_LENGTH), texts)
    return softmax(logits), valences


def _ask_served(texts: list[str], options: argparse.Namespace) -> Answers:
    model = TextModel(options.served, threads=2)
    parts = [texts[start : start + ASKED_TOGETHER] for start in range(0, len(texts), ASKED_TOGETHER)]
    answers = [model.predict(part) for part in tqdm(parts, desc="texts", unit="thousand", disable=None)]
    return np.concatenate([answer.distributions for answer in answers]), np.concatenate(
        [answer.valences for answer in answers]
    )


def _texts(folder: Path, packages: Path, brown: int) -> set[str]:
    corpora = [CORPORA[name](folder, "train") for name in ASKED]
    unlabelled = list(dict.fromkeys(example.text for example in read_packaged("brown", packages, folder)))
    drawn = np.random.default_rng(0).permutation(len(unlabelled))[:brown]
    rated = read_packaged("snippets", packages, folder)
    return {example.text for corpus in (*corpora, rated) for example in corpus} | {unlabelled[row] for row in drawn}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds text/")
    parser.add_argument("--packages", type=Path, default=PACKAGES, help="folder of the corpora from packages")
    teacher = parser.add_mutually_exclusive_group(required=True)
    teacher.add_argument("--mpnet", type=Path, help="folder that holds the files of all-mpnet-base-v2")
    teacher.add_argument("--served", type=Path, help="folder of the weights of the version before, to be asked instead")
    parser.add_argument("--checkpoint", type=Path, help="MPNet as it was trained")
    parser.add_argument("--brown", type=int, default=BROWN_SENTENCES, help="how many sentences of the Brown corpus")
    parser.add_argument("--out", type=Path, default=Path(".work/text/lessons.npz"), help="file to write")
    parser.add_argument("--precision", default="mixed_bfloat16", help="Keras dtype policy")
    options = parser.parse_args()
    if options.mpnet and not options.checkpoint:
        parser.error("--mpnet needs --checkpoint, which services.text.training.train --mpnet leaves")
    return options


if __name__ == "__main__":
    main()
