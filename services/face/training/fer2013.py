"""Train a variant on FER2013's labels, to compare with others: ``python -m services.face.training.fer2013``.

It starts where the served network started, and is not served. A label is one person's; a part of the answer is the
panel's on the same face, so that the labels that nobody else would give are not learnt by heart.
"""

from pathlib import Path
from typing import Final

import numpy as np

from services.face.training import dataset
from services.face.training.export import logits_of
from services.face.training.train import fit, parse
from shared.emotions import EMOTIONS

PANEL: Final = 0.3


def main() -> None:
    """Train, and print the share of the labels of ``valid`` that are hit, copies left out."""
    options = parse(__doc__, checkpoints=Path(".work/fer2013"), epochs=9, balance=0.0, mood=0.0, mixing=0.3)
    network = fit(dataset.load_fer2013(options.data, "train", PANEL), options)
    test = dataset.load_fer2013(options.data, "valid")
    alone = logits_of(network, test.images)[:, : len(EMOTIONS)]
    mirrored = logits_of(network, np.ascontiguousarray(test.images[:, :, ::-1]))[:, : len(EMOTIONS)]
    for name, logits in (("a face", alone), ("a face and its mirror image", alone + mirrored)):
        share = (logits.argmax(axis=1) == test.votes.argmax(axis=1)).mean()
        print(f"FER2013 label, 7 classes, from {name}: {100 * share:.1f} % of {len(test):,} images")


if __name__ == "__main__":
    main()
