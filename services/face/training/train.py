"""Train the expression model on the votes of FER+: ``python -m services.face.training.train``."""

import argparse
import time
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from services.face.model import MODEL_FILE
from services.face.training import dataset
from services.face.training.augment import augment
from services.face.training.dataset import Panel
from services.face.training.evaluate import evaluate
from services.face.training.export import calibrate, export
from services.face.training.network import build
from shared.emotions import EMOTIONS
from shared.weights import Manifest, write_manifest

WEIGHTS: Final = Path(__file__).parent.parent / "weights"

_CALIBRATION_SHARE: Final = 0.06


class Batches(keras.utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    """Shuffled, augmented batches of faces, the panel's answers and a weight for each face.

    Args:
        panel: Faces and votes.
        weights: float32 array of shape (n,).
        batch: Faces a batch.
        seed: Seed of order and augmentation.
    """

    def __init__(self, panel: Panel, weights: NDArray[np.float32], batch: int, seed: int) -> None:
        super().__init__()
        self._panel, self._shares, self._weights, self._batch = panel, panel.shares, weights, batch
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(panel))

    def __len__(self) -> int:
        return len(self._panel) // self._batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        rows = self._order[index * self._batch : (index + 1) * self._batch]
        faces = np.stack([augment(image, self._rng) for image in self._panel.images[rows]])
        return faces[..., None], self._shares[rows], self._weights[rows]

    def on_epoch_end(self) -> None:
        """Shuffle again."""
        self._order = self._rng.permutation(len(self._panel))


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


def fit(panel: Panel, options: argparse.Namespace) -> keras.Model:
    """Train a network, keeping a checkpoint an epoch from which the same command goes on after a break."""
    if options.precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    network = build(options.width, options.depth, options.dropout)
    batches = Batches(panel, balance(panel, options.balance), options.batch, options.seed)
    steps = len(batches) * options.epochs
    warm_up = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        options.rate / 25, steps - warm_up, alpha=1e-3, warmup_target=options.rate, warmup_steps=warm_up
    )
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=options.weight_decay),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    checkpoints = keras.callbacks.BackupAndRestore(options.checkpoints)
    network.fit(batches, epochs=options.epochs, callbacks=[checkpoints], verbose=2)
    return network


def in_float32(network: keras.Model, options: argparse.Namespace) -> keras.Model:
    """Return the same network computing in float32, as it is served."""
    keras.config.set_dtype_policy("float32")
    twin = build(options.width, options.depth, options.dropout)
    twin.set_weights(network.get_weights())
    return twin


def main() -> None:
    """Train, calibrate on faces held out from training, export, and seal the weights with their figures as served."""
    options = _parse()
    started = time.monotonic()
    keras.utils.set_random_seed(options.seed)
    panel, held_out = dataset.split_off(dataset.load(options.data, "train"), _CALIBRATION_SHARE, options.seed)
    network = in_float32(fit(panel, options), options)
    logits = np.asarray(network.predict(held_out.images[..., None], batch_size=256, verbose=0))
    export(network, calibrate(logits, held_out.shares), options.out / MODEL_FILE)
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
        command=_command(options),
        seed=options.seed,
        figures={},
        sha256={},
    )
    write_manifest(options.out, manifest)
    measured = evaluate(options.data, options.out)
    write_manifest(options.out, manifest.model_copy(update={"figures": measured}))


def _command(options: argparse.Namespace) -> str:
    values = {name: value for name, value in vars(options).items() if not isinstance(value, Path)}
    flags = (f"--{name.replace('_', '-')} {value}" for name, value in values.items())
    return " ".join(("python -m services.face.training.train", *flags))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with face/ferplus.npz")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights and their manifest go")
    parser.add_argument(
        "--checkpoints", type=Path, default=Path(".work/face"), help="where to go on from after a break"
    )
    parser.add_argument("--version", default="1.0.0", help="version of the weights")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--balance", type=float, default=0.25, help="0: as they come, 1: all emotions weigh the same")
    parser.add_argument("--width", type=int, default=32, help="channels of the first stage")
    parser.add_argument("--depth", type=int, default=1, help="residual blocks a stage")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16", help="of the computation")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
