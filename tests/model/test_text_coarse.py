"""Weights on few levels: what is trained with them, what is written, and what is read back to go on from."""

import subprocess
import sys
from pathlib import Path

from services.text.model import MODEL_FILE
from services.text.settings import TextSettings

LEVELS = """
import gzip
import keras
import numpy as np
from pathlib import Path
from services.text.training.batches import pad
from services.text.training.calibrate import Calibration
from services.text.training.coarse import Levels, settle
from services.text.training.encoder import EncoderConfig, build_model
from services.text.training.export import write_litert
from services.text.training.pretrained import minilm
from services.text.training.served import load_served
from shared.runtime.litert import tensors

keras.utils.set_random_seed(3)
tokenizer = minilm(0.1).tokenizer()
config = EncoderConfig(positions=64, width=48, inner=96, heads=4, depth=1, dropout=0.0, levels=Levels(7, 9))
model = build_model(config)
rng = np.random.default_rng(3)
model.set_weights([weight + rng.normal(0, 0.05, weight.shape) for weight in model.get_weights()])
inputs = pad([tokenizer.encode(text).ids for text in ("a happy day", "what a pity, and on a Monday")])

before = model.get_layer("block0_qkv").get_weights()[0]
model.compile(keras.optimizers.SGD(0.1), {"logits": keras.losses.CategoricalCrossentropy(from_logits=True)})
model.train_on_batch(inputs, {"logits": np.eye(7, dtype="float32")[:2]})
after = model.get_layer("block0_qkv").get_weights()[0]
assert np.abs(after - before).max() > 1e-6, "the gradient passes the rounding by"

trained = model.predict_on_batch(inputs)
settle(model, config.levels, tokenizer)
kernel = model.get_layer("block0_qkv").get_weights()[0]
assert all(len(np.unique(column.round(6))) <= 15 for column in kernel.T)
words = model.get_layer("embeddings").get_weights()[0]
assert len(np.unique(words.round(6))) <= 19
assert not words[tokenizer.token_to_id("[unused7]")].any() and not words[tokenizer.token_to_id("я")].any()
assert words[tokenizer.token_to_id("…")].any() and words[tokenizer.token_to_id("happy")].any()
settled = model.predict_on_batch(inputs)
for name, values in trained.items():
    assert np.abs(values - settled[name]).max() < 1e-4, "what was trained is what is written"

path = Path("{folder}") / "text.tflite.gz"
write_litert(model, config, Calibration(temperature=2.0, slope=0.9), path)
fine = path.with_name("fine.tflite.gz")
keras.utils.set_random_seed(3)
write_litert(build_model(config), config, Calibration(), fine)
assert path.stat().st_size < 0.75 * fine.stat().st_size, "few levels take fewer bits"

again = build_model(config)
load_served(again, path)
read = again.predict_on_batch(inputs)
assert np.abs(read["logits"] - settled["logits"] / 2.0).max() < 0.02
assert np.abs(read["valence"] - (3 + 0.9 * (settled["valence"] - 3))).max() < 0.02
"""

FOREIGN = """
from pathlib import Path
from services.text.training.encoder import build_model
from services.text.training.pretrained import minilm
from services.text.training.served import load_served
from shared.errors import BadInputError

model = build_model(minilm(0.1).config)
load_served(model, Path("{weights}"))
try:
    load_served(model, Path("{other}"))
except BadInputError as error:
    assert "not a file of this text model" in str(error)
else:
    raise AssertionError("a file of another model was taken")
"""


def _run(code: str) -> None:
    # TensorFlow stays out of this process
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_few_levels_are_trained_written_and_read_back(tmp_path: Path) -> None:
    _run(LEVELS.replace("{folder}", str(tmp_path)))


def test_what_is_served_can_be_trained_on_and_other_files_cannot() -> None:
    weights = TextSettings().weights / MODEL_FILE
    other = weights.parents[2] / "face" / "weights" / "expression.tflite"
    _run(FOREIGN.replace("{weights}", str(weights)).replace("{other}", str(other)))
