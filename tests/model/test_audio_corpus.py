"""What of a corpus gets into its clips, on generated recordings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from services.audio.training.corpus import AS_IS, ENCODER_WIDTH, Treatment, load_clips
from services.audio.training.synthetic import voice
from shared.errors import BadInputError

_ROWS = [("ann", "neutral"), ("ann", "calm"), ("ann", "angry"), ("bob", "neutral"), ("bob", "boredom"), ("bob", "sad")]
_COLUMNS = ("file", "corpus", "speaker", "gender", "language", "emotion", "intensity", "sentence")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lines = ["\t".join(_COLUMNS)]
    (tmp_path / "speech").mkdir()
    for place, (speaker, emotion) in enumerate(_ROWS):
        name = f"{speaker}-{emotion}.wav"
        soundfile.write(tmp_path / "speech" / name, voice(120.0 + 10.0 * place, 0.6, seed=place), 16_000)
        lines.append("\t".join([name, "small", speaker, "F", "en", emotion, "strong", "s1"]))
    (tmp_path / "speech" / "manifest.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_treatments_get_what_the_same_speaker_says_neutrally(data: Path, tmp_path: Path) -> None:
    given: list[list[str]] = []

    def listen(samples: NDArray[np.float32], _: np.random.Generator, neutral: Sequence[Path]) -> NDArray[np.float32]:
        given.append([file.stem for file in neutral])
        return samples

    clips = load_clips(data, tmp_path / "cache", treatments=[AS_IS, Treatment(name="heard", apply=listen)])
    assert given == [["ann-neutral", "ann-calm"]] * 3 + [["bob-neutral"]] * 2
    assert clips.encoder.shape == (10, ENCODER_WIDTH)
    np.testing.assert_array_equal(clips.calm, [False, True, False, False, False] * 2)
    np.testing.assert_array_equal(clips.encoder[:5], clips.encoder[5:])


def test_features_are_made_once(data: Path, tmp_path: Path) -> None:
    first = load_clips(data, tmp_path / "cache")
    for file in (data / "speech").glob("*.wav"):
        file.unlink()
    np.testing.assert_array_equal(load_clips(data, tmp_path / "cache").encoder, first.encoder)


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--data"):
        load_clips(tmp_path, tmp_path / "cache")
