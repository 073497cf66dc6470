"""What is exported answers as what was trained, which starts from what was pretrained."""

import subprocess
import sys
from pathlib import Path

import pytest

EXPORT = """
import keras
import numpy as np
from pathlib import Path
from services.face.training.calibrate import UNCALIBRATED, Calibration
from services.face.training.export import export, logits_of, served_logits
from services.face.training.network import FusedBatchNormalization, build
from shared.runtime.litert import LiteRtModel

keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)

own, keras_own = FusedBatchNormalization(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)
seen = rng.normal(3, 2, (256, 6, 6, 4)).astype(np.float32)
assert np.allclose(own(seen, training=True), keras_own(seen, training=True), atol=1e-4)
assert np.allclose(own.moving_mean, keras_own.moving_mean, rtol=1e-3)
assert np.allclose(own.moving_variance, keras_own.moving_variance, rtol=1e-3)
assert np.allclose(own(seen, training=False), keras_own(seen, training=False), atol=1e-2)

faces = rng.integers(0, 256, (32, 6, 6), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
network = build(channels=0.25)
# statistics as of a trained network: the freshly built ones would hide an error in normalisation
trunk = network.get_layer("trunk")
features = keras.Model(network.input, network.layers[network.layers.index(trunk) - 1].output)(faces[..., None])
for layer in trunk.layers[1:]:
    if isinstance(layer, keras.layers.BatchNormalization):
        inputs = np.asarray(features)
        layer.set_weights([*rng.normal(1, 0.2, (2, inputs.shape[-1])), inputs.mean((0, 1, 2)), inputs.var((0, 1, 2))])
    features = layer(features)
# answers spread as a trained network's: mean 0 and deviation 1
head, made = network.get_layer("logits"), network.predict(faces[..., None], verbose=0)
head.bias.assign((head.bias - made.mean(axis=0)) / made.std(axis=0))
head.kernel.assign(head.kernel / made.std(axis=0))

calibration = Calibration(1.0, np.linspace(-0.2, 0.2, 8, dtype=np.float32))
export(network, calibration, faces, Path("{path}"))
served = LiteRtModel(Path("{path}"))(faces=faces[..., None])
raw = logits_of(network, faces)
expected = calibration.distribution(raw)
odds = np.exp(calibration.logits(raw))
assert served["distribution"].shape == (32, 7)
assert expected.std(axis=0).max() > 0.1, "the faces must differ in what they are answered"
export(network, UNCALIBRATED, faces, Path("{path}"))
again = calibration.distribution(served_logits(Path("{path}"), faces))
assert np.abs(again - served["distribution"]).max() < 0.02, "the same but for the calibration, which is not in int8"
off = np.abs(served["distribution"] - expected).mean(), np.abs(served["unclear"] - odds[:, 7] / odds.sum(axis=1)).mean()
assert max(off) < 0.04, f"{{off}}: beyond what int8 loses in a network this narrow"
"""

PRETRAINED = """
import json
import keras
import numpy as np
import tensorflow as tf
from pathlib import Path
from services.face.training import pretrained
from services.face.training.network import build
from shared.errors import BadInputError

rng = np.random.default_rng(4)
network = build(channels=0.25)
trunk = network.get_layer("trunk")
tensors = {{}}
try:
    pretrained.read(Path("{folder}"))
    raise AssertionError("there is nothing to read yet")
except BadInputError as error:
    assert "--faceres" in str(error)
for layer in trunk.layers:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        tensors[f"{{layer.name}}/depthwise_kernel"] = rng.normal(0, 0.3, layer.kernel.shape)
    elif isinstance(layer, keras.layers.Conv2D):
        shape = (3, 3, 3, 8) if layer.name == "conv1" else layer.kernel.shape
        scale = 0.003 if layer.name == "conv1" else 0.3
        tensors[f"{{layer.name}}/convolution/merged_input"] = rng.normal(0, scale, shape)
    elif isinstance(layer, keras.layers.BatchNormalization):
        if "dw" in layer.name:
            tensors[f"{{layer.name}}/batchnorm_1/mul"] = rng.uniform(0.5, 2, layer.gamma.shape)
        tensors[f"{{layer.name}}/batchnorm_1/sub"] = rng.normal(0.5, 1, layer.gamma.shape)
tensors = {{name: value.astype(np.float32) for name, value in tensors.items()}}
folder = Path("{folder}")
entries = [{{"name": name, "shape": value.shape, "dtype": "float32"}} for name, value in tensors.items()]
(folder / "faceres-deep.json").write_text(json.dumps({{"weightsManifest": [{{"weights": entries}}]}}))
(folder / "faceres-deep.bin").write_bytes(b"".join(value.tobytes() for value in tensors.values()))

faces = rng.integers(0, 256, (16, 48, 48), dtype=np.uint8)
pretrained.fill(network, pretrained.read(folder), faces)
seen = keras.Model(network.input, network.layers[network.layers.index(trunk) - 1].output)(faces[..., None])
ours = trunk(seen, training=False).numpy()

x = tf.repeat(seen, 3, axis=-1) * 60
for block in range(13):
    names = ["conv1"] if not block else [f"conv_dw_{{block}}", f"conv_pw_{{block}}"]
    for name in names:
        stride = 2 if name in ("conv1", "conv_dw_2", "conv_dw_4", "conv_dw_6", "conv_dw_12") else 1
        if "dw" in name:
            x = tf.pad(x, [[0, 0], [2 - stride, 1], [2 - stride, 1], [0, 0]])
            x = tf.nn.depthwise_conv2d(x, tensors[name + "/depthwise_kernel"], [1, stride, stride, 1], "VALID")
            x = x * tensors[name + "_bn/batchnorm_1/mul"]
        else:
            x = tf.nn.conv2d(x, tensors[name + "/convolution/merged_input"], stride, "SAME")
        x = tf.nn.relu6(x + tensors[name + "_bn/batchnorm_1/sub"])
assert ours.shape == x.shape and ours.std() > 0.1
assert np.allclose(ours, x, atol=1e-2), np.abs(ours - x).max()
"""


@pytest.fixture(autouse=True)
def training() -> None:
    pytest.importorskip("tensorflow", reason="training needs the extra mien[train]")


def _run(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_the_served_file_answers_as_the_network_did(tmp_path: Path) -> None:
    _run(EXPORT.format(path=tmp_path / "small.tflite"))


def test_the_network_starts_as_the_pretrained_one_computes(tmp_path: Path) -> None:
    _run(PRETRAINED.format(folder=tmp_path))
