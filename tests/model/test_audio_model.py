"""The audio model as it ships, and the export that made it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.audio.scorer import AudioScorer
from services.audio.settings import AudioSettings
from services.audio.training.synthetic import voice
from services.audio.worker import load_scorer
from shared.emotions import EMOTIONS, Modality
from shared.errors import WeightsError
from shared.messages.details import AudioDetails
from shared.messages.score import Judgement, Status
from shared.scoring import SpeechWindow
from shared.weights import load_manifest

WEIGHTS = AudioSettings().weights


@pytest.fixture(scope="module")
def scorer() -> AudioScorer:
    return load_scorer()


def _window(samples: NDArray[np.floating], start_s: float = 0.0) -> SpeechWindow:
    return SpeechWindow(session_id="audio-model-test", start_s=start_s, samples=samples.astype(np.float32))


def _mood(judgement: Judgement) -> float:
    assert judgement.mood is not None
    return judgement.mood


def test_a_generated_voice_is_scored_in_full(scorer: AudioScorer) -> None:
    [judgement] = scorer.score([_window(voice(150.0, 2.0))])
    assert judgement.status is Status.SCORED
    assert judgement.distribution is not None
    assert judgement.confidence == pytest.approx(max(judgement.distribution.values()))
    assert isinstance(judgement.details, AudioDetails)
    assert judgement.details.pitch_hz == pytest.approx(150.0, rel=0.1)
    assert judgement.details.arousal is not None
    assert _mood(judgement) == pytest.approx(2.30, abs=0.25)
    assert scorer.modality is Modality.AUDIO
    assert scorer.model == load_manifest(WEIGHTS).ref


def test_a_batch_is_judged_like_its_members_alone_and_in_order(scorer: AudioScorer) -> None:
    silence = np.zeros(16_000, dtype=np.float32)
    waves = [voice(120.0, 1.5), silence, voice(220.0, 2.6), voice(150.0, 1.6, seed=1), silence[:0]]
    together = scorer.score([_window(wave) for wave in waves])
    assert [judgement.reason for judgement in together] == [None, "too_quiet", None, None, "too_short"]
    for place in (0, 2, 3):
        [alone] = scorer.score([_window(waves[place])])
        assert _mood(together[place]) == pytest.approx(_mood(alone), abs=0.02)


def test_an_empty_batch_gives_an_empty_list(scorer: AudioScorer) -> None:
    assert scorer.score([]) == []


@pytest.mark.parametrize("gain_db", [-12.0, 12.0])
def test_gain_hardly_moves_the_mood(scorer: AudioScorer, gain_db: float) -> None:
    wave = voice(150.0, 2.0)
    as_is, changed = scorer.score([_window(wave), _window(wave * 10 ** (gain_db / 20))])
    assert _mood(changed) == pytest.approx(_mood(as_is), abs=0.15)


def test_an_offset_of_the_microphone_moves_neither_quality_nor_mood(scorer: AudioScorer) -> None:
    rng = np.random.default_rng(0)
    quiet = 0.05 * voice(150.0, 3.0) + rng.normal(0.0, 0.0002, 48_000)
    as_is, shifted = scorer.score([_window(quiet), _window(quiet + 0.01)])
    assert as_is.quality == pytest.approx(1.0, abs=0.01)
    assert shifted.quality == pytest.approx(as_is.quality, abs=0.01)
    assert _mood(shifted) == pytest.approx(_mood(as_is), abs=0.02)


def test_an_offset_does_not_hide_what_is_clipped(scorer: AudioScorer) -> None:
    one_sided = 30 * np.maximum(voice(150.0, 2.0), -0.002)
    [judgement] = scorer.score([_window(np.clip(one_sided, -1, 1))])
    assert judgement.reason == "clipped"


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    head = folder / "head.tflite"
    head.write_bytes(head.read_bytes()[:-1] + b"?")
    with pytest.raises(WeightsError, match=r"head\.tflite is not the one"):
        load_scorer(AudioSettings(weights=folder))


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="git checkout"):
        load_scorer(AudioSettings(weights=tmp_path))


def test_weights_are_small_and_name_their_terms() -> None:
    manifest = load_manifest(WEIGHTS)
    assert manifest.labels == tuple(EMOTIONS)
    assert "ommercial" in manifest.licence
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 2 * 2**20
