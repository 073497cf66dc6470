"""What Keras trains and what LiteRT serves are the same head."""

from pathlib import Path

import numpy as np

from services.audio.training.head import Calibration, build_head, export_head, serving_model
from services.audio.training.validation import log_prior
from shared.runtime.litert import LiteRtModel


def test_keras_and_litert_agree(tmp_path: Path) -> None:
    model = serving_model(build_head(), Calibration(temperature=1.5, log_prior=log_prior(), strength_temperature=2.0))
    export_head(model, tmp_path / "head.tflite")
    rng = np.random.default_rng(0)
    inputs = {name: rng.normal(size=(5, tensor.shape[-1])).astype(np.float32) for name, tensor in model.input.items()}
    expected, got = model(inputs), LiteRtModel(tmp_path / "head.tflite")(**inputs)
    np.testing.assert_allclose(got["distribution"], np.asarray(expected["distribution"]), atol=1e-5)
    np.testing.assert_allclose(got["arousal"], np.asarray(expected["arousal"]), atol=1e-5)
