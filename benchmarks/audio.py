"""Speed and memory of the voice, on one core, in a fresh process; beside the same features computed the plain way.

``python -m benchmarks.audio --chunks 50000`` is the long form of the memory figures.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import librosa
import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from benchmarks.figures import Target
from benchmarks.light_voice import light_voice
from benchmarks.memory import measure_memory
from services.audio.features import prosody
from services.audio.levels import HOP_SAMPLES
from services.audio.model import ENCODER_LAYERS, HEAD_NAME, AudioModel
from services.audio.scorer import AudioScorer
from services.audio.settings import AudioSettings
from services.audio.training.synthetic import voice
from services.audio.worker import load_scorer
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.runtime.whisper import load_whisper
from shared.runtime.whisper_encoder import load_encoder
from shared.scoring import SpeechWindow

_CHUNK_S: Final = 3.0
_BATCH: Final = 8
_VOICES: Final = 16
_REPEATS: Final = 12
_WHISPER_S: Final = 30
_DATA: Final = "generated voices, chunks of 3 s, one core, CPU time"

AUDIO: Final = (
    Target(
        area="audio", key="chunk_ms", figure="a chunk alone", unit="ms", data=_DATA, better="lower", must=120, aim=60
    ),
    Target(area="audio", key="batch_ms", figure="a chunk of eight", unit="ms", data=_DATA, better="lower"),
    Target(
        area="audio",
        key="plain_ms",
        figure="librosa's pYIN and level, Whisper's encoder on 30 s",
        unit="ms",
        data=_DATA,
        better="lower",
    ),
    Target(
        area="audio",
        key="model_ms",
        figure="Whisper's layers and the head alone",
        unit="ms",
        data=_DATA,
        better="lower",
    ),
    Target(
        area="audio",
        key="light_ms",
        figure="in their place log-mel and a net of 174,000 parameters",
        unit="ms",
        data=f"{_DATA}, untrained",
        better="lower",
    ),
    Target(area="audio", key="times_plain", figure="chunks a second, over the plain way's", data=_DATA),
    Target(area="audio", key="warm_up_s", figure="warm-up", unit="s", data=_DATA, better="lower"),
    Target(area="audio", key="head_mb", figure="head", unit="MB", data=_DATA, better="lower", must=2, aim=1),
    Target(area="audio", key="memory_mb", figure="memory, peak", unit="MB", data=_DATA, better="lower", must=450),
    Target(
        area="audio",
        key="memory_growth_mb",
        figure="memory, last chunks over first",
        unit="MB",
        data=f"{_DATA}, 800 chunks",
        better="lower",
        must=5,
    ),
)


_VOICE_SAMPLES: Final = [voice(90.0 + 12.0 * seed, _CHUNK_S, seed=seed) for seed in range(_VOICES)]


def measure_audio() -> Mapping[str, float]:
    """Return the figures of a fresh process."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.audio"], check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _windows(at: int, count: int) -> list[SpeechWindow]:
    return [
        SpeechWindow(session_id=str(place), start_s=0.0, samples=_VOICE_SAMPLES[(at + place) % _VOICES])
        for place in range(count)
    ]


def _plain(whisper: WhisperModel, wave: NDArray[np.float32]) -> tuple[Any, ...]:
    """Compute pitch, voicing, level and encoder frames by the calls that their documentations show."""
    pitch, voiced, _ = librosa.pyin(wave, fmin=65.0, fmax=500.0, sr=SAMPLE_RATE_HZ, hop_length=HOP_SAMPLES)
    level = librosa.feature.rms(y=wave, hop_length=HOP_SAMPLES)
    padded = np.pad(wave, (0, _WHISPER_S * SAMPLE_RATE_HZ - len(wave)))
    frames = whisper.encode(whisper.feature_extractor(padded, padding=0))
    return pitch, voiced, level, np.asarray(frames).mean(axis=1)


def _cpu_ms(work: Callable[[int], Any]) -> float:
    """Return the median CPU time of a call, milliseconds."""
    times = []
    for repeat in range(_REPEATS + 1):
        begun = time.process_time()
        work(repeat)
        times.append(time.process_time() - begun)
    return 1e3 * statistics.median(times[1:])


def _speed(scorer: AudioScorer) -> dict[str, float]:
    model = AudioModel(AudioSettings().weights, load_encoder(ENCODER_LAYERS, 1))
    whisper, light = load_whisper(threads=1), light_voice(len(_VOICE_SAMPLES[0]))
    shapes = [prosody(wave).shape for wave in _VOICE_SAMPLES]
    chunk_ms = _cpu_ms(lambda at: scorer.score(_windows(at, 1)))
    plain_ms = _cpu_ms(lambda at: _plain(whisper, _VOICE_SAMPLES[at % _VOICES]))
    return {
        "chunk_ms": chunk_ms,
        "batch_ms": _cpu_ms(lambda at: scorer.score(_windows(at, _BATCH))) / _BATCH,
        "plain_ms": plain_ms,
        "model_ms": _cpu_ms(lambda at: model.predict([_VOICE_SAMPLES[at % _VOICES]], [shapes[at % _VOICES]])),
        "light_ms": _cpu_ms(lambda at: light(_VOICE_SAMPLES[at % _VOICES])),
        "times_plain": plain_ms / chunk_ms,
        "head_mb": (AudioSettings().weights / HEAD_NAME).stat().st_size / 1e6,
    }


def main() -> None:
    """Measure in this process, on one core, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=800, help="chunks of the memory figures (%(default)s)")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    scorer = load_scorer(AudioSettings(threads=1))
    begun = time.perf_counter()
    scorer.warm_up()
    warm = {"warm_up_s": time.perf_counter() - begun}
    # memory first: what the plain way needs is not the worker's
    remembered = measure_memory(lambda at: scorer.score(_windows(at * _BATCH, _BATCH)), options.chunks // _BATCH)
    print(json.dumps({**warm, **remembered, **_speed(scorer)}))


if __name__ == "__main__":
    main()
