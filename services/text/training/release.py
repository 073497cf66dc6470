"""Seals a folder of trained weights: what they are, how they were made, and what they measure as served."""

from pathlib import Path
from typing import Final

from services.text.training.evaluate import evaluate, table
from shared.emotions import EMOTIONS
from shared.weights import Manifest, load_manifest, write_manifest

DATA: Final = (
    "all-MiniLM-L6-v2, the encoder's starting point (Apache-2.0)",
    "EmoBank (CC BY-SA 4.0)",
    "Stanford Sentiment Treebank, five levels, sentences and phrases (research)",
    "GoEmotions (Apache-2.0)",
    "ISEAR (research)",
    "Facebook posts with valence and arousal (research; GPL-3 repository)",
    "examples generated from own sentence frames, services/text/training/phrases.py (Apache-2.0)",
    "word ratings of VADER's lexicon (MIT), TextBlob's list of adjectives (BSD), first names from Faker (MIT)",
    "ratings of editorials, reviews and tweets, published with VADER (MIT)",
    "sentences of the Brown corpus (non-commercial), without labels",
    "answers of all-mpnet-base-v2, fine-tuned on the same corpora (Apache-2.0)",
)
LICENCE: Final = "Apache-2.0 for the weights as such; some of the training data is for research use only"


def seal(folder: Path, data: Path, command: str, seed: int, version: str = "1") -> None:
    """Write the manifest of a folder, measure the weights as served, and add the figures to it.

    Args:
        folder: The weights.
        data: Folder that holds ``text/``.
        command: What trained them.
        seed: Seed of that run.
        version: Version of the weights.
    """
    manifest = Manifest(
        name="mien-text-minilm",
        version=version,
        labels=tuple(emotion.value for emotion in EMOTIONS),
        licence=LICENCE,
        data=DATA,
        command=command,
        seed=seed,
        figures={},
        sha256={},
    )
    write_manifest(folder, manifest)
    figures = evaluate(data, folder)
    print(table(figures))
    rounded = {name: round(value, 4) for name, value in figures.items()}
    write_manifest(folder, load_manifest(folder).model_copy(update={"figures": rounded}))
