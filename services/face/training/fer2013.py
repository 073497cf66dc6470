"""Train a variant on FER2013's labels, to compare with others: ``python -m services.face.training.fer2013``.

It goes on from the network that ``services.face.training.train`` left, and is not served.
"""

from pathlib import Path

from services.face.training import dataset
from services.face.training.export import logits_of
from services.face.training.train import fit, parse
from shared.emotions import EMOTIONS


def main() -> None:
    """Train for a few epochs and print the share of the labels of ``valid`` that are hit, copies left out."""
    options = parse(
        __doc__,
        checkpoints=Path(".work/fer2013"),
        start_from=Path(".work/face"),
        epochs=5,
        rate=4e-4,
        balance=0.0,
        mood=0.0,
        mixing=0.3,
    )
    network = fit(dataset.load_fer2013(options.data, "train"), options)
    test = dataset.load_fer2013(options.data, "valid")
    answers = logits_of(network, test.images)[:, : len(EMOTIONS)].argmax(axis=1)
    share = (answers == test.votes.argmax(axis=1)).mean()
    print(f"FER2013 label, 7 classes: {100 * share:.1f} % of {len(test):,} images")


if __name__ == "__main__":
    main()
