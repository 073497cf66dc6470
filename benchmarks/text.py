"""How fast and how well the text service hears beside faster-whisper, and how fast it reads."""

import csv
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import jiwer
import numpy as np
import soundfile
from numpy.typing import NDArray
from whisper_normalizer.english import EnglishTextNormalizer

from benchmarks.figures import Target
from services.text.model import TextModel
from services.text.scorer import TextScorer
from services.text.settings import TextSettings
from services.text.transcriber import Transcriber
from services.text.worker import load_scorer
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.runtime.whisper import load_whisper
from shared.weights import load_manifest

THREADS: Final = 2
REPEATS: Final = 200
ROUNDS: Final = 2
_GROUP: Final = 8

Samples = NDArray[np.float32]
Way = Callable[[Sequence[Samples]], list[str]]
_SPEECH: Final = (
    "LibriSpeech test-other, 60 utterances, tiny.en int8, 2 threads; faster-whisper with a beam of one; "
    "times are medians over groups of eight"
)
_MODEL: Final = "the emotion model"


def _ratio(key: str, figure: str, must: float | None = None) -> Target:
    return Target(area="text", key=key, figure=figure, data=_SPEECH, better="lower", must=must)


TEXT: Final = (
    _ratio("baseline_rtf", "faster-whisper, real-time factor, here"),
    _ratio("one_wall", "hearing one by one, time over faster-whisper's", 0.5),
    _ratio("one_cpu", "hearing one by one, processor time over faster-whisper's", 0.5),
    _ratio("batch_wall", "hearing up to 8 together, time over faster-whisper's", 0.33),
    _ratio("batch_cpu", "hearing up to 8 together, processor time over faster-whisper's", 0.33),
    _ratio("wer_baseline", "faster-whisper, word error rate, here"),
    _ratio("wer_one", "hearing one by one, word error rate"),
    _ratio("wer_batch", "hearing up to 8 together, word error rate"),
    _ratio("wer_over_baseline", "the higher of the two over faster-whisper's", 1.0),
    Target(
        area="text",
        key="read_32_ms",
        figure="reading 32 word pieces, one core",
        unit="ms",
        data=_MODEL,
        better="lower",
        must=8,
        aim=4,
    ),
    Target(
        area="text",
        key="evidence_ms",
        figure="saying which of 20 words moved the score",
        unit="ms",
        data=_MODEL,
        better="lower",
    ),
    Target(area="text", key="size_mb", figure="weights and tokeniser", unit="MB", data=_MODEL, better="lower", must=25),
)

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Took:
    """Wall-clock and processor seconds of one run."""

    wall_s: float
    cpu_s: float


def measure_speed(data: Path) -> dict[str, float]:
    """Return speed and word error rates of hearing, in one run beside faster-whisper, and the speed of reading."""
    waves, spoken = read_speech(data)
    scorer = load_scorer(TextSettings(threads=THREADS))
    return _hearing(waves, spoken) | _reading() | _telling(scorer)


def read_speech(data: Path) -> tuple[list[Samples], list[str]]:
    """Return the utterances of LibriSpeech in ``asr/`` and what is said in them."""
    with (data / "asr" / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    waves = [soundfile.read(data / "asr" / row["file"], dtype="float32")[0] for row in rows]
    return waves, [row["text"] for row in rows]


def _hearing(waves: Sequence[Samples], spoken: Sequence[str]) -> dict[str, float]:
    """Hear groups of utterances of like length in three ways by turns, so that a noisy neighbour slows all of them."""
    transcriber = Transcriber(load_whisper("", THREADS))
    ways: dict[str, Way] = {
        "baseline": lambda group: [_as_usual(wave) for wave in group],
        "one": lambda group: [transcriber.transcribe([wave])[0].text for wave in group],
        "batch": lambda group: [heard.text for heard in transcriber.transcribe(group)],
    }
    order = np.argsort([len(wave) for wave in waves])
    groups = [[waves[row] for row in order[at : at + _GROUP]] for at in range(0, len(order), _GROUP)]
    for hear in ways.values():
        hear(groups[0])
    turns = [{name: _timed(partial(hear, group)) for name, hear in ways.items()} for group in groups * ROUNDS]
    said = [spoken[row] for row in order]
    heard = {name: [text for turn in turns[: len(groups)] for text in turn[name][0]] for name in ways}
    # a full queue: the transcriber forms the groups itself
    heard["batch"] = ways["batch"]([waves[row] for row in order])
    rates = {name: word_error_rate(said, texts) for name, texts in heard.items()}
    wall = {name: np.array([turn[name][1].wall_s for turn in turns]) for name in ways}
    cpu = {name: np.array([turn[name][1].cpu_s for turn in turns]) for name in ways}
    return {
        "baseline_rtf": float(wall["baseline"].sum()) * SAMPLE_RATE_HZ / sum(map(len, waves)) / ROUNDS,
        **{f"{way}_wall": float(np.median(wall[way] / wall["baseline"])) for way in ("one", "batch")},
        **{f"{way}_cpu": float(np.median(cpu[way] / cpu["baseline"])) for way in ("one", "batch")},
        **{f"wer_{name}": rate for name, rate in rates.items()},
        "wer_over_baseline": max(rates["one"], rates["batch"]) / rates["baseline"],
    }


def _as_usual(wave: Samples) -> str:
    """Return what faster-whisper hears as it is normally called, with a beam of one."""
    segments, _ = load_whisper("", THREADS).transcribe(wave, beam_size=1, language="en")
    return " ".join(segment.text.strip() for segment in segments)


def word_error_rate(spoken: Sequence[str], heard: Sequence[str]) -> float:
    """Return the word error rate after Whisper's English normaliser (Radford et al. 2022, appendix C) on both sides."""
    normal = EnglishTextNormalizer()
    return float(jiwer.wer([normal(said) for said in spoken], [normal(said) for said in heard]))


def _reading() -> dict[str, float]:
    folder = TextSettings().weights
    model = TextModel(folder, threads=1)
    sentence = " ".join(["good"] * 30)
    times = [_timed(lambda: model.predict([sentence]))[1].wall_s for _ in range(REPEATS)]
    size = sum((folder / name).stat().st_size for name in load_manifest(folder).sha256)
    return {"read_32_ms": 1000 * statistics.median(times), "size_mb": size / 1e6}


def _telling(scorer: TextScorer) -> dict[str, float]:
    """Return what it takes to say of 20 words which of them did it, beside judging them."""
    sentence = " ".join(["we went home and it was good"] * 3).rsplit(" ", 1)[0]
    bare = load_scorer(TextSettings(threads=THREADS, evidence=False))
    told = [_timed(lambda: scorer.score_texts([sentence]))[1].wall_s for _ in range(20)]
    judged = [_timed(lambda: bare.score_texts([sentence]))[1].wall_s for _ in range(20)]
    return {"evidence_ms": 1000 * (statistics.median(told) - statistics.median(judged))}


def _timed(run: Callable[[], ResultT]) -> tuple[ResultT, Took]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, Took(time.perf_counter() - wall, time.process_time() - cpu)
