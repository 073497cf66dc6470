"""How well text is understood beside VADER and TextBlob, how it behaves, and which sounds are taken for words."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from textblob import TextBlob
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from services.audio.training.synthetic import nonspeech
from services.text.model import TextModel
from services.text.scorer import TextScorer
from services.text.settings import TextSettings
from services.text.training.behaviour import pass_rates
from services.text.training.calibrate import fit_scale, scale
from services.text.training.corpora import emobank_raw, sst5
from services.text.training.evaluate import evaluate
from services.text.worker import load_scorer
from shared.messages.score import Status
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.scoring import SpeechWindow

SOUNDS: Final = 200
PEER_SLOPES: Final = np.linspace(0.5, 6.0, 111)

Samples = NDArray[np.float32]


def measure_accuracy(data: Path) -> dict[str, float]:
    """Return what the scoreboard says of text: Mien's figures, those of its peers, behaviour, and sounds not heard."""
    scorer = load_scorer(TextSettings(threads=2))
    model = TextModel(TextSettings().weights, threads=2)
    return evaluate(data) | peers(data / "text") | pass_rates(model) | {"sounds_scored": sounds_scored(scorer)}


def peers(folder: Path) -> dict[str, float]:
    """Return what VADER and TextBlob reach on the same test splits: r on EmoBank, five levels on SST-5.

    Their scores fill the scale, or are stretched as fits SST-5's development split best, as ours is.
    """
    vader = SentimentIntensityAnalyzer()
    scores: dict[str, Callable[[str], float]] = {
        "vader": lambda said: float(vader.polarity_scores(said)["compound"]),
        "textblob": lambda said: float(TextBlob(said).sentiment.polarity),
    }
    texts, valence = emobank_raw(folder, "test")
    sentences = sst5(folder, "test")
    levels = np.array([example.valence for example in sentences])
    figures = {}
    for name, score in scores.items():
        figures[f"emobank_r_{name}"] = float(np.corrcoef([score(said) for said in texts], valence)[0, 1])
        tuned, stars = (3 + np.array([score(each.text) for each in part]) for part in (sst5(folder, "dev"), sentences))
        slope = fit_scale(tuned, np.array([each.valence for each in sst5(folder, "dev")]), PEER_SLOPES)
        # The better of both ways, in their favour.
        figures[f"sst5_accuracy_{name}"] = float(max((scale(stars, k).round() == levels).mean() for k in (2.0, slope)))
    return figures


def sounds_scored(scorer: TextScorer) -> float:
    """Return the share of generated chunks without speech that are taken for words and scored."""
    chunks = [*nonspeech(SOUNDS * 3 // 4, seed=1), *islice(music(seed=1), SOUNDS // 4)]
    windows = [SpeechWindow(session_id="benchmark", start_s=0.0, samples=chunk) for chunk in chunks]
    scored = [judged.status is Status.SCORED for window in windows for judged in scorer.score([window])]
    return float(np.mean(scored))


def music(seed: int) -> Iterator[Samples]:
    """Generate music-like sound without end: chords of plucked notes over a beat, 2 to 8 s, -40 to -3 dBFS peak."""
    rng = np.random.default_rng(seed)
    scale = 110.0 * 2.0 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19, 21, 23, 24]) / 12)
    while True:
        step = int(rng.uniform(0.15, 0.6) * SAMPLE_RATE_HZ)
        times = np.arange(step) / SAMPLE_RATE_HZ
        chords = []
        for _ in range(int(rng.uniform(2.0, 8.0) * SAMPLE_RATE_HZ / step)):
            notes = rng.choice(scale, 3)
            tones = [np.sin(2 * np.pi * note * k * times) / k for note in notes for k in (1, 2, 3, 4)]
            drum = rng.normal(0.0, 1.0, step) * np.exp(-times * 60)
            chords.append(np.sum(tones, axis=0) * np.exp(-times * rng.uniform(1, 6)) + drum)
        wave = np.concatenate(chords)
        yield (wave / np.abs(wave).max() * 10 ** (rng.uniform(-40, -3) / 20)).astype(np.float32)
