"""Train the expression model on the votes of FER+: ``python -m services.face.training.train``."""

import argparse
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.face.model import MODEL_FILE
from services.face.training import dataset
from services.face.training.batches import Batches
from services.face.training.calibrate import calibrate
from services.face.training.dataset import Panel
from services.face.training.evaluate import evaluate
from services.face.training.export import export, logits_of
from services.face.training.network import build
from services.face.training.stages import stage_of
from shared.emotions import EMOTIONS, MOOD_VECTOR
from shared.errors import MienError
from shared.weights import Manifest, write_manifest

WEIGHTS: Final = Path(__file__).parent.parent / "weights"

_CALIBRATION_SHARE: Final = 0.06
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


def fit(panel: Panel, options: argparse.Namespace, member: int) -> None:
    """Train one network on one processor core, and leave its weights in its folder of checkpoints.

    The same command goes on after a break from the last whole epoch.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(options.seed + member)
    if options.precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    network = build(options.width, options.depth, options.dropout)
    if options.start_from:
        load_newest(network, options.start_from / str(member))
    weights = balance(panel, options.balance)
    network.compile(_optimizer(options, len(panel) // options.batch * options.epochs), PanelLoss(options.mood))
    network.optimizer.build(network.trainable_variables)
    folder = options.checkpoints / str(member)
    for epoch in range(_resume(network, folder, options), options.epochs):
        stage, seed = stage_of(epoch, options.epochs), (options.seed, member, epoch)
        batches = Batches(panel, weights, options.batch, stage, seed)
        network.fit(batches, initial_epoch=epoch, epochs=epoch + 1, verbose=2)
        _keep(network, folder, options, epoch + 1)


def _optimizer(options: argparse.Namespace, steps: int) -> keras.Optimizer:
    warm_up = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        options.rate / 25, steps - warm_up, alpha=1e-3, warmup_target=options.rate, warmup_steps=warm_up
    )
    return keras.optimizers.AdamW(rate, weight_decay=options.weight_decay)


def _resume(network: keras.Model, folder: Path, options: argparse.Namespace) -> int:
    """Load what this very command has left, if anything, and return how many epochs it had done."""
    state = _state(folder)
    if state.get("command") != _command(options):
        return 0
    network.load_weights(folder / state["weights"])
    return int(state["epochs"])


def _state(folder: Path) -> dict[str, Any]:
    path = folder / _STATE
    state: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return state


def _keep(network: keras.Model, folder: Path, options: argparse.Namespace, epochs: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # two names take turns: whenever the run breaks off, the one that the state names is whole
    name = f"{epochs % 2}.{_NEWEST}"
    network.save_weights(folder / name)
    state = {"command": _command(options), "epochs": epochs, "weights": name}
    (folder / f"{_STATE}.new").write_text(json.dumps(state))
    (folder / f"{_STATE}.new").replace(folder / _STATE)


def fit_all(panel: Panel, options: argparse.Namespace) -> list[keras.Model]:
    """Train the networks side by side, one process and one core each, and return them computing in float32.

    Networks of different seeds err differently: their mean is better than each, and better calibrated (Lakshminarayanan
    et al., "Deep Ensembles", 2017, https://arxiv.org/abs/1612.01474).

    Raises:
        MienError: If a training broke off.
    """
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=fit, args=(panel, options, member)) for member in range(options.members)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    if any(run.exitcode for run in runs):
        raise MienError("A training broke off; its message is above. The same command goes on from the last epoch.")
    networks = [build(options.width, options.depth, options.dropout) for _ in runs]
    for member, network in enumerate(networks):
        load_newest(network, options.checkpoints / str(member))
    return networks


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
    networks = fit_all(panel, options)
    export(networks, calibrate(logits_of(networks, held_out.images), held_out), options.out / MODEL_FILE)
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
        data=("FER+ votes (MIT)", "FER2013 images (from the web, research use)"),
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
    parser.add_argument("--start-from", type=Path, help="checkpoints of an earlier training to go on from")
    parser.add_argument("--version", default="1.1.0", help="version of the weights")
    parser.add_argument("--members", type=int, default=2, help="networks, trained side by side on one core each")
    parser.add_argument("--epochs", type=int, default=32)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--balance", type=float, default=0.25, help="0: as they come, 1: all emotions weigh the same")
    parser.add_argument("--mood", type=float, default=0.5, help="weight of the mood's error beside the cross-entropy")
    parser.add_argument("--width", type=int, default=32, help="channels of the first stage")
    parser.add_argument("--depth", type=int, default=1, help="residual blocks a stage")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16", help="of the computation")
    parser.add_argument("--seed", type=int, default=7)
    parser.set_defaults(**defaults)
    return parser.parse_args()


if __name__ == "__main__":
    main()
