"""Trains the text model: ``python -m services.text.training.train``; see ``--help`` for a longer run."""

import argparse
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tqdm import tqdm

from services.text.features import name_symbols
from services.text.model import MODEL_FILE
from services.text.training.batches import Batch, Recipe, as_dataset, pad, plan_epoch, read_corpora
from services.text.training.calibrate import Calibration, fit
from services.text.training.coarse import FINE, Levels, settle
from services.text.training.corpora import goemotions_raw, sst5
from services.text.training.encoder import build_model
from services.text.training.export import write_litert
from services.text.training.lessons import SHARE, read_lessons
from services.text.training.packaged import PACKAGES
from services.text.training.pretrained import Pretrained, minilm, mpnet
from services.text.training.release import seal
from services.text.training.served import load_served
from shared.runtime.litert import PACKED

DEFAULT_PASSES: Final = "emobank=2,sst5=1,sst5_phrases=0.15,posts=1,goemotions=0.6,isear=0.5"
WEIGHTS: Final = Path(__file__).parent.parent / "weights"
_READ_TOGETHER: Final = 64


def main() -> None:
    """Train or average, calibrate on development sets, export, measure and seal the weights."""
    options = _options()
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(options.seed)
    started = time.monotonic()
    model = average(compiled_model(options, 1), options.average) if options.average else train(options)
    if options.until:
        return
    encoder = starting_point(options)
    settle(model, encoder.config.levels, encoder.tokenizer())
    calibration = calibrate(model, encoder.tokenizer(options.max_length), options.data / "text")
    print(f"{calibration}; {(time.monotonic() - started) / 60:.1f} minutes")
    options.weights.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(encoder.folder / "tokenizer.json", options.weights / "tokenizer.json")
    write_litert(model, encoder.config, calibration, options.weights / MODEL_FILE)
    seal(options.weights, options.data, _command(options), options.seed, options.version)


class LinearRate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate that rises linearly for some steps and then falls linearly to zero.

    Args:
        peak: The highest rate.
        rising: Steps until it is reached.
        steps: Steps of the whole run.
    """

    def __init__(self, peak: float, rising: int, steps: int) -> None:
        self._peak, self._rising, self._steps = peak, rising, steps

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """Return the rate of a step."""
        step = keras.ops.cast(step, "float32")
        falling = (self._steps - step) / max(1, self._steps - self._rising)
        return self._peak * keras.ops.clip(keras.ops.minimum(step / self._rising, falling), 0.0, 1.0)


def train(options: argparse.Namespace) -> keras.Model:
    """Return the trained model; every epoch leaves a checkpoint, and ``--resume`` goes on after the last one."""
    recipe = Recipe(
        passes={name: float(share) for name, _, share in (part.partition("=") for part in options.passes.split(","))},
        spoken_share=options.spoken_share,
        misheard_share=options.misheard_share,
        max_length=options.max_length,
        batch_tokens=options.batch_tokens,
        seed=options.seed,
    )
    corpora = read_corpora(options.data / "text", options.packages, recipe)
    if options.lessons:
        lessons = read_lessons(options.lessons, options.share)
        corpora = {name: lessons.taught(examples) for name, examples in corpora.items()}
    tokenizer = starting_point(options).tokenizer()
    first = plan_epoch(corpora, recipe, tokenizer, 0)
    model = compiled_model(options, len(first) * options.epochs)
    if options.start:
        average(model, options.start)
    done = _resume(model, options.checkpoints) if options.resume else 0
    for epoch in range(done, options.until or options.epochs):
        batches = plan_epoch(corpora, recipe, tokenizer, epoch) if epoch else first
        print(f"{len(batches)} batches, {sum(map(_tokens, batches)):,} word pieces")
        model.fit(as_dataset(batches), epochs=epoch + 1, initial_epoch=epoch, verbose=options.verbose)
        model.save_weights(options.checkpoints / f"epoch-{epoch + 1:02d}.weights.h5")
    return model


def _start(model: keras.Model, path: Path) -> None:
    """Load a checkpoint, or weights that were served."""
    if path.suffix == PACKED:
        load_served(model, path)
    else:
        model.load_weights(path)
        model.optimizer.iterations.assign(0)


def average(model: keras.Model, checkpoints: Sequence[Path]) -> keras.Model:
    """Return the model with the mean of the weights of runs that began alike (model soup; Wortsman et al. 2022)."""
    runs = []
    for checkpoint in checkpoints:
        _start(model, checkpoint)
        runs.append(model.get_weights())
    model.set_weights([np.mean(weights, axis=0) for weights in zip(*runs, strict=True)])
    return model


def compiled_model(options: argparse.Namespace, steps: int) -> keras.Model:
    """Return the model as it starts: a pretrained encoder, untrained heads, a rate that warms up and falls linearly."""
    keras.config.set_dtype_policy(options.precision)
    encoder = starting_point(options)
    model = build_model(encoder.config)
    encoder.load(model)
    model.get_layer("embeddings").trainable = options.train_embeddings
    warm_up = max(1, steps // 20)
    optimizer = keras.optimizers.AdamW(LinearRate(options.rate, warm_up, steps), weight_decay=0.01, global_clipnorm=1.0)
    losses = {
        "logits": keras.losses.CategoricalCrossentropy(from_logits=True),
        "valence": keras.losses.MeanSquaredError(),
    }
    model.compile(optimizer=optimizer, loss=losses, jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


def starting_point(options: argparse.Namespace) -> Pretrained:
    """Return the encoder to train: MiniLM, or MPNet where its folder is given."""
    if options.mpnet:
        return mpnet(options.mpnet, options.dropout)
    return minilm(options.dropout, Levels(options.kernel_levels, options.word_levels))


def calibrate(model: keras.Model, tokenizer: Tokenizer, folder: Path) -> Calibration:
    """Fit the calibration on the development sets of GoEmotions and SST-5."""
    texts, counts = goemotions_raw(folder, "dev")
    sentences = sst5(folder, "dev")
    levels = np.array([example.valence for example in sentences], np.float64)
    logits, _ = predict(model, tokenizer, texts)
    _, valence = predict(model, tokenizer, [example.text for example in sentences])
    return fit(logits, counts, valence, levels)


def predict(
    model: keras.Model, tokenizer: Tokenizer, texts: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return raw logits of shape (n, 7) and raw valence of shape (n,)."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch([name_symbols(text) for text in texts])]
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    logits, valence = np.zeros((len(ids), 7)), np.zeros(len(ids))
    for start in tqdm(range(0, len(order), _READ_TOGETHER), desc="texts", unit="batch", leave=False, disable=None):
        rows = order[start : start + _READ_TOGETHER]
        outputs = model(pad([ids[row] for row in rows]), training=False)
        logits[rows] = keras.ops.convert_to_numpy(outputs["logits"])
        valence[rows] = keras.ops.convert_to_numpy(outputs["valence"])[:, 0]
    return logits, valence


def _resume(model: keras.Model, folder: Path) -> int:
    checkpoints = sorted(folder.glob("epoch-*.weights.h5"))
    if not checkpoints:
        return 0
    model.load_weights(checkpoints[-1])
    return int(checkpoints[-1].name.removeprefix("epoch-").partition(".")[0])


def _tokens(batch: Batch) -> int:
    return sum(map(len, batch.ids))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds text/")
    parser.add_argument("--packages", type=Path, default=PACKAGES, help="folder of the corpora from packages")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder that the weights are written to")
    parser.add_argument("--checkpoints", type=Path, default=Path(".work/text"), help="folder for checkpoints")
    parser.add_argument("--passes", default=DEFAULT_PASSES, help="how often an epoch sees each corpus")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--until", type=int, help="stop after this epoch with its checkpoint alone, for a next stage")
    parser.add_argument(
        "--start",
        type=Path,
        nargs="+",
        help="where to start instead of MiniLM: checkpoints or served weights, their mean",
    )
    parser.add_argument("--average", type=Path, nargs="+", help="do not train: take the mean of these checkpoints")
    parser.add_argument("--mpnet", type=Path, help="train the teacher: folder of all-mpnet-base-v2")
    parser.add_argument("--lessons", type=Path, help="the teacher's answers, from services.text.training.teach")
    parser.add_argument("--share", type=float, default=SHARE, help="share of the answers where there is a label too")
    parser.add_argument("--kernel-levels", type=int, default=FINE, help="levels above 0 that dense kernels stand on")
    parser.add_argument("--word-levels", type=int, default=FINE, help="levels above 0 that word embeddings stand on")
    parser.add_argument("--rate", type=float, default=1e-4, help="highest learning rate")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--spoken-share", type=float, default=0.3, help="share of examples made to look spoken")
    parser.add_argument("--misheard-share", type=float, default=0.0, help="share of words in these that are misheard")
    parser.add_argument("--max-length", type=int, default=48, help="longest sequence in word pieces")
    parser.add_argument("--batch-tokens", type=int, default=1152, help="word pieces in a batch")
    parser.add_argument("--precision", default="mixed_bfloat16", help="Keras dtype policy")
    parser.add_argument("--train-embeddings", action="store_true", help="train the word embeddings too")
    parser.add_argument("--resume", action="store_true", help="go on after the last checkpoint")
    parser.add_argument("--verbose", type=int, default=1, help="1: progress bar; 2: a line an epoch")
    parser.add_argument("--version", default="6", help="version of the weights")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def _command(options: argparse.Namespace) -> str:
    if options.average:
        levels = f"--kernel-levels {options.kernel_levels} --word-levels {options.word_levels}"
        return f"python -m services.text.training.train --average {' '.join(map(str, options.average))} {levels}"
    kept = (
        *("passes", "epochs", "rate", "dropout", "spoken_share", "misheard_share"),
        *("share", "kernel_levels", "word_levels"),
        *("max_length", "batch_tokens", "precision", "seed"),
    )
    flags = " ".join(f"--{name.replace('_', '-')} {getattr(options, name)}" for name in kept)
    given = "".join(f" --{name} {path}" for name in ("mpnet", "lessons") if (path := getattr(options, name)))
    given += f" --start {' '.join(map(str, options.start))}" if options.start else ""
    tail = f"{given} --train-embeddings" if options.train_embeddings else given
    return f"python -m services.text.training.train {flags}{tail}"


if __name__ == "__main__":
    main()
