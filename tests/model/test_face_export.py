"""What is exported answers as what was trained, and the fused normalisation trains as Keras's own."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import keras
import numpy as np
from pathlib import Path
from services.face.training.calibrate import Calibration
from services.face.training.export import export, logits_of
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


def trained():
    network = build(width=8)
    # statistics as of a trained network: the freshly built ones would hide an error in normalisation
    network.set_weights([
        weight * rng.uniform(0.5, 1.5, weight.shape) + rng.normal(0, 0.05, weight.shape) * (weight == 0)
        for weight in network.get_weights()
    ])
    # answers spread as a trained network's: mean 0 and deviation 1
    head, made = network.get_layer("logits"), network.predict(faces[..., None], verbose=0)
    head.bias.assign((head.bias - made.mean(axis=0)) / made.std(axis=0))
    head.kernel.assign(head.kernel / made.std(axis=0))
    return network


networks = [trained(), trained()]
calibration = Calibration(1.0, np.linspace(-0.2, 0.2, 8, dtype=np.float32))
export(networks, calibration, Path("{path}"))
served = LiteRtModel(Path("{path}"))(faces=faces[..., None])
views = faces[..., None], faces[:, :, ::-1, None]
raw = logits_of(networks, faces)
assert np.allclose(raw, np.mean([one.predict(view, verbose=0) for one in networks for view in views], 0), atol=1e-4)
assert np.allclose(raw, logits_of(networks, faces[:, :, ::-1]), atol=1e-4)
expected = calibration.distribution(raw)
odds = np.exp(calibration.logits(raw))
assert served["distribution"].shape == (32, 7)
assert expected.std(axis=0).max() > 0.1, "the faces must differ in what they are answered"
assert np.abs(served["distribution"] - expected).max() < 0.04, "beyond what int8 weights lose"
assert np.abs(served["unclear"] - odds[:, 7] / odds.sum(axis=1)).max() < 0.02
"""


def test_the_served_file_answers_as_the_networks_did(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="training needs the extra mien[train]")
    script = SCRIPT.format(path=tmp_path / "small.tflite")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
