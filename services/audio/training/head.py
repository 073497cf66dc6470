"""The small Keras head on pooled encoder frames and prosody, how it is trained, and how it is exported.

It is a product of two experts (Hinton, "Training products of experts", 2002), each trained by a loss of its own: a
linear one that hears everything, and one that knows the prosody alone. The second was added for what it
does on corpora left out.
"""

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
from services.audio.training.wording import without_wording
from shared.emotions import EMOTIONS

EPOCHS: Final = 20
PROSODY_SHARE: Final = 0.5
"""How much the expert of prosody says beside the other one, whose share is 1."""

_BATCH: Final = 256
_LEARNING_RATE: Final = 4e-3
_WEIGHT_DECAY: Final = 0.02
_DROPOUT: Final = 0.3
_PROSODY_DROPOUT: Final = 0.1
_HIDDEN: Final = 32
_LABEL_SMOOTHING: Final = 0.1
_AROUSAL_WEIGHT: Final = 0.3
_STEPS_AT_ONCE: Final = 17


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
    """Weigh clips so that each emotion counts the same, within it women as men, and within those each speaker.

    People are what the clips are a sample of: a corpus of two voices counts for two.

    Returns:
        float32 array of shape (n,) with mean 1.
    """
    genders = [f"{emotion} {gender}" for emotion, gender in zip(clips.emotions, clips.genders, strict=True)]
    speakers = [f"{cell} {speaker}" for cell, speaker in zip(genders, clips.speakers, strict=True)]
    weights = np.ones(len(clips))
    for groups in (speakers, genders, [str(emotion) for emotion in clips.emotions]):
        _, index = np.unique(groups, return_inverse=True)
        weights = _equalised(weights, index)
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def _equalised(weights: NDArray[np.float64], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(weights / np.bincount(groups, weights)[groups])


def build_head(classes: int = len(EMOTIONS)) -> keras.Model:
    """Return an untrained head: ``encoder`` (n, 384) and ``prosody`` (n, 10) in, logits of both experts out."""
    encoder = keras.Input((ENCODER_WIDTH,), name="encoder")
    shape = keras.Input((PROSODY_WIDTH,), name="prosody")
    # The norm of an utterance's features tells the recording rather than the emotion, and a strange one is large.
    heard = keras.layers.LayerNormalization(center=False, scale=False)(_standardised(encoder, "encoder_standard"))
    spoken = keras.layers.Dense(ENCODER_WIDTH, use_bias=False, trainable=False, name="without_wording")(heard)
    measured = _standardised(shape, "prosody_standard")
    everything = keras.layers.Dropout(_DROPOUT)(keras.layers.Concatenate()([spoken, measured]))
    hidden = keras.layers.Dense(_HIDDEN, activation="gelu")(keras.layers.Dropout(_PROSODY_DROPOUT)(measured))
    return keras.Model(
        {"encoder": encoder, "prosody": shape},
        {
            "everything": keras.layers.Dense(classes, name="everything")(everything),
            "prosody_alone": keras.layers.Dense(classes, name="prosody_alone")(
                keras.layers.Dropout(_PROSODY_DROPOUT)(hidden)
            ),
            "strength": keras.layers.Dense(1, name="strength")(everything),
        },
    )


def _standardised(values: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.ops.clip(keras.layers.Normalization(name=name)(values), -5.0, 5.0)


def train_head(clips: Clips, seed: int, classes: int = len(EMOTIONS)) -> keras.Model:
    """Train a head: the same clips and seed give the same head on the same machine."""
    keras.utils.set_random_seed(seed)
    model = build_head(classes)
    model.get_layer("encoder_standard").adapt(clips.encoder)
    model.get_layer("prosody_standard").adapt(clips.prosody)
    wording = model.get_layer("without_wording")
    heard = keras.Model(model.input, wording.input).predict(_inputs(clips), 1024, verbose=0)
    wording.set_weights([without_wording(heard, clips.sentences, clips.emotions)])
    steps = EPOCHS * -(-len(clips) // _BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY),
        loss={
            "everything": keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_LABEL_SMOOTHING),
            "prosody_alone": keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_LABEL_SMOOTHING),
            "strength": keras.losses.BinaryCrossentropy(from_logits=True),
        },
        loss_weights={"everything": 1.0, "prosody_alone": 1.0, "strength": _AROUSAL_WEIGHT},
        steps_per_execution=_STEPS_AT_ONCE,
    )
    model.fit(_dataset(clips, classes), epochs=EPOCHS, shuffle=False, verbose=0)
    return model


def _dataset(clips: Clips, classes: int) -> tf.data.Dataset:
    labelled = np.isfinite(clips.strong)
    weights, named = clip_weights(clips), np.eye(classes, dtype=np.float32)[clips.emotions]
    importance = {
        "everything": weights,
        "prosody_alone": weights,
        "strength": labelled / max(labelled.mean(), 1e-6),
    }
    targets = {"everything": named, "prosody_alone": named, "strength": np.nan_to_num(clips.strong)[:, None]}
    rows = tf.data.Dataset.from_tensor_slices((_inputs(clips), targets, importance))
    return rows.cache().shuffle(len(clips), reshuffle_each_iteration=True).batch(_BATCH).prefetch(2)


def _inputs(clips: Clips) -> dict[str, NDArray[np.float32]]:
    return {"encoder": clips.encoder, "prosody": clips.prosody}


def run_head(model: keras.Model, clips: Clips) -> Logits:
    """Return a head's logits for clips."""
    outputs: dict[str, Any] = model.predict(_inputs(clips), 1024, verbose=0)
    emotion = outputs["everything"] + PROSODY_SHARE * outputs["prosody_alone"]
    return Logits(emotion=emotion.astype(np.float64), strength=outputs["strength"].astype(np.float64)[:, 0])


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
    emotion = model.output["everything"] + PROSODY_SHARE * model.output["prosody_alone"]
    scaled = emotion * (1.0 / calibration.temperature) + calibration.log_prior.astype(np.float32)
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
