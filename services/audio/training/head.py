"""The small Keras head on pooled encoder frames and prosody, how it is trained, and how it is exported."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from services.audio.features import PROSODY_WIDTH
from services.audio.training.corpus import ENCODER_WIDTH, Clips
from shared.emotions import EMOTIONS

EPOCHS: Final = 30
_BATCH: Final = 128
_LEARNING_RATE: Final = 3e-3
_WEIGHT_DECAY: Final = 0.02
_DROPOUT: Final = 0.5
_HIDDEN: Final = 96
_LABEL_SMOOTHING: Final = 0.1
_AROUSAL_WEIGHT: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Logits:
    """What a head says before calibration.

    Attributes:
        emotion: float64 array of shape (n, 7).
        strength: float64 array of shape (n,): positive where acted strongly.
    """

    emotion: NDArray[np.float64]
    strength: NDArray[np.float64]


def clip_weights(clips: Clips) -> NDArray[np.float32]:
    """Weigh clips so that each emotion counts the same, within it each corpus, and within that each speaker.

    Returns:
        float32 array of shape (n,) with mean 1.
    """
    corpora = [f"{emotion} {corpus}" for emotion, corpus in zip(clips.emotions, clips.corpora, strict=True)]
    speakers = [f"{cell} {speaker}" for cell, speaker in zip(corpora, clips.speakers, strict=True)]
    weights = np.ones(len(clips))
    for groups in (speakers, corpora, [str(emotion) for emotion in clips.emotions]):
        _, index = np.unique(groups, return_inverse=True)
        weights = _equalised(weights, index)
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def _equalised(weights: NDArray[np.float64], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(weights / np.bincount(groups, weights)[groups])


def build_head() -> keras.Model:
    """Return an untrained head: ``encoder`` (n, 1152) and ``prosody`` (n, 10) in, logits out."""
    encoder = keras.Input((3 * ENCODER_WIDTH,), name="encoder")
    shape = keras.Input((PROSODY_WIDTH,), name="prosody")
    heard = _standardised(encoder, "encoder_standard")
    # The norm of an utterance's features tells the recording rather than the emotion, and a strange one is large.
    heard = keras.layers.LayerNormalization(center=False, scale=False)(heard)
    joined = keras.layers.Concatenate()([heard, _standardised(shape, "prosody_standard")])
    hidden = keras.layers.Dense(_HIDDEN, activation="gelu")(keras.layers.Dropout(_DROPOUT)(joined))
    hidden = keras.layers.Dropout(_DROPOUT)(hidden)
    return keras.Model(
        {"encoder": encoder, "prosody": shape},
        {
            "emotion": keras.layers.Dense(len(EMOTIONS), name="emotion")(hidden),
            "strength": keras.layers.Dense(1, name="strength")(hidden),
        },
    )


def _standardised(values: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.ops.clip(keras.layers.Normalization(name=name)(values), -5.0, 5.0)


def train_head(clips: Clips, seed: int) -> keras.Model:
    """Train a head: the same clips and seed give the same head on the same machine."""
    keras.utils.set_random_seed(seed)
    model = build_head()
    model.get_layer("encoder_standard").adapt(clips.encoder)
    model.get_layer("prosody_standard").adapt(clips.prosody)
    steps = EPOCHS * -(-len(clips) // _BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY),
        loss={
            "emotion": keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_LABEL_SMOOTHING),
            "strength": keras.losses.BinaryCrossentropy(from_logits=True),
        },
        loss_weights={"emotion": 1.0, "strength": _AROUSAL_WEIGHT},
    )
    model.fit(_dataset(clips), epochs=EPOCHS, shuffle=False, verbose=0)
    return model


def _dataset(clips: Clips) -> tf.data.Dataset:
    labelled = np.isfinite(clips.strong)
    weights = {"emotion": clip_weights(clips), "strength": labelled / max(labelled.mean(), 1e-6)}
    targets = {
        "emotion": np.eye(len(EMOTIONS), dtype=np.float32)[clips.emotions],
        "strength": np.nan_to_num(clips.strong)[:, None],
    }
    inputs = {"encoder": clips.encoder, "prosody": clips.prosody}
    rows = tf.data.Dataset.from_tensor_slices((inputs, targets, weights))
    return rows.cache().shuffle(len(clips), reshuffle_each_iteration=True).batch(_BATCH).prefetch(2)


def run_head(model: keras.Model, clips: Clips) -> Logits:
    """Return a head's logits for clips."""
    outputs: dict[str, Any] = model.predict({"encoder": clips.encoder, "prosody": clips.prosody}, 1024, verbose=0)
    return Logits(emotion=outputs["emotion"].astype(np.float64), strength=outputs["strength"].astype(np.float64)[:, 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What turns logits into probabilities.

    Attributes:
        temperature: Divides the logits of the emotions.
        log_prior: Is added to them then, float64 array of shape (7,).
        strength_temperature: Divides the logit of the strength; None where no clip was labelled with it.
    """

    temperature: float
    log_prior: NDArray[np.float64]
    strength_temperature: float | None


def serving_model(model: keras.Model, calibration: Calibration) -> keras.Model:
    """Return the calibrated head: ``distribution`` (n, 7) out, and ``arousal`` (n, 1) where it was learned."""
    scaled = model.output["emotion"] * (1.0 / calibration.temperature) + calibration.log_prior.astype(np.float32)
    outputs = {"distribution": keras.ops.softmax(scaled)}
    if calibration.strength_temperature is not None:
        outputs["arousal"] = keras.ops.sigmoid(model.output["strength"] * (1.0 / calibration.strength_temperature))
    return keras.Model(model.input, outputs)


def export_head(model: keras.Model, path: Path) -> None:
    """Write a serving model as LiteRT; its signature names inputs and outputs as the model does."""
    with TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        path.write_bytes(converter.convert())
