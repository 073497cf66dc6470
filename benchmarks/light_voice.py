"""What would be lighter than Whisper's encoder: log-mel and a small convolutional-recurrent net.

It is not trained: what it costs does not hang on its weights.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import librosa
import numpy as np
from numpy.typing import NDArray

from shared.messages.speech import SAMPLE_RATE_HZ
from shared.runtime.litert import LiteRtModel

if TYPE_CHECKING:
    import keras

_MELS: Final = 64
_HOP_SAMPLES: Final = 160
_CHANNELS: Final = (32, 64, 64)
_WIDE: Final = 148
_RECURRENT: Final = 64
_CLASSES: Final = 8


def light_voice(samples: int) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return what judges a wave of so many samples, float32 array of shape (samples,), 16 kHz, by the light net."""
    from services.audio.training.head import export_head

    with TemporaryDirectory() as folder:
        path = Path(folder) / "light.tflite"
        export_head(build_net(samples // _HOP_SAMPLES), path)
        net = LiteRtModel(path)

    def judge(wave: NDArray[np.float32]) -> NDArray[np.float32]:
        mel = librosa.feature.melspectrogram(
            y=wave, sr=SAMPLE_RATE_HZ, n_mels=_MELS, n_fft=400, hop_length=_HOP_SAMPLES
        )
        frames = librosa.power_to_db(mel).T[None, : samples // _HOP_SAMPLES, :, None].astype(np.float32)
        return net(mel=frames)["logits"]

    return judge


def build_net(frames: int) -> "keras.Model":
    """Return the untrained Keras net, of 174,000 parameters: ``mel`` (n, frames, 64, 1) in, ``logits`` (n, 8) out."""
    import keras

    mel = keras.Input((frames, _MELS, 1), name="mel")
    heard = mel
    for channels in _CHANNELS:
        heard = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(heard)
        heard = keras.layers.Activation("relu")(keras.layers.BatchNormalization()(heard))
        heard = keras.layers.MaxPooling2D(2)(heard)
    steps = keras.layers.Reshape((heard.shape[1], heard.shape[2] * heard.shape[3]))(heard)
    steps = keras.layers.Dense(_WIDE, activation="relu")(steps)
    recurrent = keras.layers.GRU(_RECURRENT, return_sequences=True, unroll=True)
    pooled = keras.layers.GlobalAveragePooling1D()(recurrent(steps))
    return keras.Model({"mel": mel}, {"logits": keras.layers.Dense(_CLASSES)(pooled)})
