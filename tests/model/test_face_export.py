"""What is exported answers as what was trained."""

import subprocess
import sys
from pathlib import Path

import pytest

PARITY = """
import keras
import numpy as np
from pathlib import Path
from services.face.training.export import Calibration, export
from services.face.training.network import build
from shared.runtime.litert import LiteRtModel

keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
network = build(width=8)
# statistics as of a trained network: the freshly built ones would hide an error in normalisation
network.set_weights([
    weight * rng.uniform(0.5, 1.5, weight.shape) + rng.normal(0, 0.05, weight.shape) * (weight == 0)
    for weight in network.get_weights()
])
faces = rng.integers(0, 256, (32, 6, 6, 1), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
head = network.get_layer("logits")
head.kernel.assign(head.kernel / network.predict(faces, verbose=0).std(axis=0))
calibration = Calibration(0.8, np.linspace(-0.2, 0.2, 8, dtype=np.float32))
export(network, calibration, Path("{path}"))
served = LiteRtModel(Path("{path}"))(faces=faces)
logits = network.predict(faces, verbose=0) * calibration.scale + calibration.bias
odds = np.exp(logits)
expected = odds[:, :7] / odds[:, :7].sum(axis=1, keepdims=True)
assert served["distribution"].shape == (32, 7)
assert expected.std(axis=0).max() > 0.1, "the faces must differ in what they are answered"
assert np.abs(served["distribution"] - expected).max() < 0.02
assert np.abs(served["unclear"] - odds[:, 7] / odds.sum(axis=1)).max() < 0.02
"""


def test_the_served_file_answers_as_the_network_did(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="training needs the extra mien[train]")
    script = PARITY.format(path=tmp_path / "small.tflite")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
