"""What is done to recordings: altered to train on, and worsened in known ways to measure on."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import av
import numpy as np
import soundfile
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import fftconvolve, resample_poly

from services.audio.levels import active_level_db, normalise
from services.audio.training.corpus import AS_IS, Samples, Treatment
from shared.messages.speech import SAMPLE_RATE_HZ

SNR_DB: Final = 10.0
GAIN_DB: Final = 12.0
OPUS_BITS_PER_S: Final = 16_000

_MEASURED: Final = 600
_BABBLERS: Final = 6
_OPUS_RATE_HZ: Final = 48_000


def _altered(samples: Samples, rng: np.random.Generator, _: Sequence[Path]) -> Samples:
    """Speak faster or slower by up to a tenth, in a room or not, before another microphone, in noise or not."""
    wave = resample_poly(samples, rng.integers(91, 112), 100).astype(np.float32)
    if rng.random() < 0.4:
        wave = _in_room(wave, rng)
    wave = _coloured(wave, rng.uniform(-0.35, 0.35))
    if rng.random() < 0.6:
        noise = _coloured(rng.normal(size=len(wave)).astype(np.float32), -rng.uniform(0.0, 1.0))
        wave = mixed(wave, noise * _swell(len(wave), rng), rng.uniform(5.0, 25.0))
    return wave


def _babbled(samples: Samples, rng: np.random.Generator, neutral: Sequence[Path]) -> Samples:
    """Speak faster or slower, before another microphone, among three to eight calm voices 5 to 20 dB below.

    The voices are the speaker's own, higher or lower: nothing of another speaker or corpus, which may be left out,
    gets into a clip.
    """
    wave = resample_poly(samples, rng.integers(91, 112), 100).astype(np.float32)
    wave = _coloured(wave, rng.uniform(-0.35, 0.35))
    chosen = rng.choice(len(neutral), min(int(rng.integers(3, 9)), len(neutral)), replace=False)
    voices = (normalise(soundfile.read(neutral[place], dtype="float32")[0]) for place in chosen)
    shifted = (resample_poly(voice, rng.integers(80, 126), 100) for voice in voices)
    noise = _coloured(_at_once(shifted, len(wave), rng), rng.uniform(-0.35, 0.35))
    return mixed(wave, noise, rng.uniform(5.0, 20.0))


ALTERED: Final = Treatment(name="altered", apply=_altered, most=1_200)
BABBLED: Final = Treatment(name="babbled", apply=_babbled, most=1_200)
BABBLED_AGAIN: Final = Treatment(name="babbled-again", apply=_babbled, corpora=("emodb", "ravdess"))
TRAINED_ON: Final = (AS_IS, ALTERED, BABBLED, BABBLED_AGAIN)
"""What heads are trained on; only so many altered clips of a corpus, because each takes a while to encode, and the
small corpora twice in babble."""


def worsened(data: Path, corpus: str) -> list[Treatment]:
    """Return the treatments that robustness is measured under; their babble is of readers that no head has heard.

    Args:
        data: The data folder, with ``asr/audio``.
        corpus: Which corpus they are for.
    """
    voices = [soundfile.read(file, dtype="float32")[0] for file in sorted((data / "asr" / "audio").glob("*.flac"))]
    return [
        Treatment(name=name, apply=partial(_alone, apply), corpora=(corpus,), most=_MEASURED)
        for name, apply in worsened_by(voices).items()
    ]


def worsened_by(voices: Sequence[Samples]) -> dict[str, Callable[[Samples, np.random.Generator], Samples]]:
    """Return what worsens a recording, by name: gain, noise 10 dB below the speech, and a codec.

    Args:
        voices: Who babbles: six of them at once. Traffic is generated.
    """
    return {
        "quieter": partial(_amplified, gain_db=-GAIN_DB),
        "louder": partial(_amplified, gain_db=GAIN_DB),
        "white": _in_white_noise,
        "babble": partial(_in_babble, voices=voices),
        "traffic": _in_traffic,
        "opus": _through_opus,
    }


def _alone(
    apply: Callable[[Samples, np.random.Generator], Samples],
    samples: Samples,
    rng: np.random.Generator,
    _: Sequence[Path],
) -> Samples:
    """Apply what needs no other recordings."""
    return apply(samples, rng)


def mixed(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return samples with noise, of the same length, so many decibels below the level of their active part."""
    level_db = active_level_db(samples) - snr_db
    power_db = 10.0 * np.log10(np.mean(noise.astype(np.float64) ** 2) + 1e-12)
    return np.asarray(samples + noise * 10.0 ** ((level_db - power_db) / 20.0), dtype=np.float32)


def _amplified(samples: Samples, _: np.random.Generator, gain_db: float) -> Samples:
    """Amplify, and clip at full scale as a recorder does."""
    return np.asarray(np.clip(samples * np.float32(10.0 ** (gain_db / 20.0)), -1.0, 1.0))


def _in_white_noise(samples: Samples, rng: np.random.Generator) -> Samples:
    return mixed(samples, rng.normal(size=len(samples)).astype(np.float32), SNR_DB)


def _in_babble(samples: Samples, rng: np.random.Generator, voices: Sequence[Samples]) -> Samples:
    chosen = [voices[place] for place in rng.choice(len(voices), _BABBLERS, replace=False)]
    return mixed(samples, _at_once(chosen, len(samples), rng), SNR_DB)


def _at_once(voices: Iterable[Samples], length: int, rng: np.random.Generator) -> Samples:
    """Let voices speak at once, each as loud as the others, from anywhere in what they say and over again."""
    together = np.zeros(length)
    for voice in voices:
        loop = np.resize(np.roll(voice, rng.integers(len(voice))), length)
        together += loop / np.sqrt(np.mean(loop**2) + 1e-9)
    return together.astype(np.float32)


def _in_traffic(samples: Samples, rng: np.random.Generator) -> Samples:
    """Mix with rumble that rises and falls as cars pass, and the hum of an engine."""
    times = np.arange(len(samples)) / SAMPLE_RATE_HZ
    rumble = _coloured(rng.normal(size=len(samples)).astype(np.float32), -0.8)
    firing_hz = rng.uniform(35.0, 90.0)
    engine = np.sum([np.sin(2 * np.pi * firing_hz * k * times + rng.uniform(0, 6)) / k for k in range(1, 9)], axis=0)
    noise = rumble / rumble.std() * _swell(len(samples), rng) + 0.4 * engine
    return mixed(samples, noise.astype(np.float32), SNR_DB)


def _through_opus(samples: Samples, _: np.random.Generator) -> Samples:
    """Encode as Opus at 16 kbit/s and decode again."""
    file = BytesIO()
    wide = np.clip(resample_poly(samples, 3, 1), -1.0, 1.0).astype(np.float32)
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=_OPUS_RATE_HZ, layout="mono", bit_rate=OPUS_BITS_PER_S)
        frame = av.AudioFrame.from_ndarray(wide[None, :], format="flt", layout="mono")
        frame.sample_rate = _OPUS_RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    file.seek(0)
    decoded: Samples = soundfile.read(file, dtype="float32")[0]
    return np.asarray(resample_poly(decoded, 1, 3)[: len(samples)], dtype=np.float32)


def _coloured(samples: Samples, slope: float) -> Samples:
    """Tilt the spectrum: amplitudes go with the frequency to the power of ``slope``."""
    length = next_fast_len(len(samples), real=True)
    frequencies = np.maximum(rfftfreq(length, 1 / SAMPLE_RATE_HZ), 50.0) / 1000.0
    return np.asarray(irfft(rfft(samples, length) * frequencies**slope, length)[: len(samples)], dtype=np.float32)


def _swell(length: int, rng: np.random.Generator) -> Samples:
    """Return a factor that rises and falls slowly, or quickly as voices do."""
    times = np.arange(length) / SAMPLE_RATE_HZ
    depth, rate_hz = rng.uniform(0.0, 0.9), rng.uniform(0.1, 5.0)
    return (1.0 + depth * np.sin(2 * np.pi * rate_hz * times + rng.uniform(0, 6))).astype(np.float32)


def _in_room(samples: Samples, rng: np.random.Generator) -> Samples:
    """Convolve with noise that decays by 60 dB in 0.15 to 0.6 s, -3 to 12 dB below the direct sound."""
    decay_s = rng.uniform(0.15, 0.6)
    times = np.arange(1, int(decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail = rng.normal(size=len(times)) * 10.0 ** (-3.0 * times / decay_s)
    tail *= 10.0 ** (-rng.uniform(-3.0, 12.0) / 20.0) / np.sqrt(np.sum(tail**2))
    return np.asarray(fftconvolve(samples, np.concatenate([[1.0], tail]))[: len(samples)], dtype=np.float32)
