"""The teacher's encoder computes what MPNet computes, checked against an independent one in NumPy."""

import subprocess
import sys
from pathlib import Path

import pytest

MPNET = """
import math
from pathlib import Path
import keras
import numpy as np
from safetensors.numpy import save_file
from services.text.training.batches import pad
from services.text.training.encoder import EncoderConfig, build_model
from services.text.training.pretrained import Pretrained, mpnet

names = mpnet(Path(), 0.0).names
config = EncoderConfig(
    vocabulary=50, positions=300, width=32, inner=48, heads=4, depth=2, norm_epsilon=1e-5, relative_buckets=32
)
rng = np.random.default_rng(5)
def tensor(*shape):
    return rng.normal(0, 0.3, shape).astype(np.float32)
t = {"embeddings.word_embeddings.weight": tensor(50, 32), "embeddings.position_embeddings.weight": tensor(302, 32)}
t["encoder.relative_attention_bias.weight"] = 3 * tensor(32, 4)
shapes = {"attention.attn.q": (32, 32), "attention.attn.k": (32, 32), "attention.attn.v": (32, 32)}
shapes |= {"attention.attn.o": (32, 32), "intermediate.dense": (48, 32), "output.dense": (32, 48)}
for n in range(2):
    for name, shape in shapes.items():
        t[f"encoder.layer.{n}.{name}.weight"], t[f"encoder.layer.{n}.{name}.bias"] = tensor(*shape), tensor(shape[0])
blocks = [f"encoder.layer.{n}.{part}" for n in (0, 1) for part in ("attention", "output")]
for norm in (f"{part}.LayerNorm" for part in ("embeddings", *blocks)):
    t[norm + ".weight"], t[norm + ".bias"] = 1 + tensor(32), tensor(32)
save_file(t, Path("{folder}") / "model.safetensors")

model = build_model(config)
Pretrained(config, Path("{folder}"), names).load(model)
ids = [rng.integers(3, 50, length).tolist() for length in (5, 260)]
ours = keras.Model(model.inputs, model.get_layer("pooled").output)(pad(ids), training=False).numpy()

def norm(x, name):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return x * t[name + ".weight"] + t[name + ".bias"]
def dense(x, name):
    return x @ t[name + ".weight"].T + t[name + ".bias"]
def bucket(query, key):
    apart = abs(key - query)
    if apart >= 8:
        apart = min(15, 8 + int(math.log(apart / 8) / math.log(128 / 8) * 8))
    return apart + (16 if key > query else 0)
def embed(ids):
    places = range(len(ids))
    x = t["embeddings.word_embeddings.weight"][ids] + t["embeddings.position_embeddings.weight"][2 : 2 + len(ids)]
    x = norm(x, "embeddings.LayerNorm")
    buckets = [[bucket(i, j) for j in places] for i in places]
    bias = t["encoder.relative_attention_bias.weight"][buckets].transpose(2, 0, 1)
    for n in range(2):
        p = f"encoder.layer.{n}."
        q, k, v = (dense(x, p + "attention.attn." + part).reshape(-1, 4, 8) for part in "qkv")
        s = np.exp(np.einsum("ihd,jhd->hij", q, k) / np.sqrt(8) + bias)
        a = np.einsum("hij,jhd->ihd", s / s.sum(-1, keepdims=True), v).reshape(-1, 32)
        x = norm(x + dense(a, p + "attention.attn.o"), p + "attention.LayerNorm")
        h = dense(x, p + "intermediate.dense")
        h = 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
        x = norm(x + dense(h, p + "output.dense"), p + "output.LayerNorm")
    return x.mean(0)
theirs = np.stack([embed(row) for row in ids])
assert np.abs(theirs[0] - theirs[1]).max() > 0.1, "the texts must differ"
assert np.abs(ours - theirs).max() < 1e-4, np.abs(ours - theirs).max()
"""


def test_the_encoder_is_mpnet(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="training needs the extra mien[train]")
    script = MPNET.replace("{folder}", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
