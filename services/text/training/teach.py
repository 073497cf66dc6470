"""Asks the teacher about every training text: ``python -m services.text.training.teach``; see ``--help``.

The teacher is all-mpnet-base-v2, trained by ``python -m services.text.training.train --mpnet FOLDER --until …``.
"""

import argparse
from pathlib import Path
from typing import Final

import keras
import numpy as np

from services.text.training.calibrate import softmax
from services.text.training.corpora import CORPORA
from services.text.training.encoder import build_model
from services.text.training.lessons import of_answers
from services.text.training.packaged import PACKAGES, read_packaged
from services.text.training.pretrained import mpnet
from services.text.training.train import predict

ASKED: Final = ("emobank", "sst5", "posts", "goemotions")
BROWN_SENTENCES: Final = 24_000
"""Of the Brown corpus, drawn at random: all of it would take half an hour more."""

MAX_LENGTH: Final = 64


def main() -> None:
    """Load the teacher, ask it and write its answers."""
    options = _options()
    texts = sorted(_texts(options.data / "text", options.packages), key=len)
    keras.config.set_dtype_policy(options.precision)
    encoder = mpnet(options.mpnet, dropout=0.0)
    model = build_model(encoder.config)
    model.load_weights(options.checkpoint)
    logits, valences = predict(model, encoder.tokenizer(MAX_LENGTH), texts)
    of_answers(texts, softmax(logits), valences).write(options.out)
    print(f"{len(texts):,} answers in {options.out}")


def _texts(folder: Path, packages: Path) -> set[str]:
    corpora = [CORPORA[name](folder, "train") for name in ASKED]
    unlabelled = list(dict.fromkeys(example.text for example in read_packaged("brown", packages, folder)))
    drawn = np.random.default_rng(0).permutation(len(unlabelled))[:BROWN_SENTENCES]
    rated = read_packaged("snippets", packages, folder)
    return {example.text for corpus in (*corpora, rated) for example in corpus} | {unlabelled[row] for row in drawn}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds text/")
    parser.add_argument("--packages", type=Path, default=PACKAGES, help="folder of the corpora from packages")
    parser.add_argument("--mpnet", type=Path, required=True, help="folder that holds the files of all-mpnet-base-v2")
    parser.add_argument("--checkpoint", type=Path, required=True, help="the trained teacher")
    parser.add_argument("--out", type=Path, default=Path(".work/text/lessons.npz"), help="file to write")
    parser.add_argument("--precision", default="mixed_bfloat16", help="Keras dtype policy")
    return parser.parse_args()


if __name__ == "__main__":
    main()
