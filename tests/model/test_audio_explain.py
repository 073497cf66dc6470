"""How a voice goes on: windows, tracks, the picture of them, and the command."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from services.audio.explain import STEP_S, WINDOW_S, Course, course_of, window_starts
from services.audio.training.synthetic import voice
from services.audio.worker import load_scorer
from services.cli.explain_audio import explain_audio
from services.cli.voice_plot import WIDTH_PX, draw
from shared.errors import BadInputError


@pytest.fixture(scope="module")
def course() -> Course:
    silence = np.zeros(3 * 16_000, dtype=np.float32)
    return course_of(np.concatenate([voice(150.0, 3.0), silence]), load_scorer())


@pytest.mark.parametrize("seconds", [0.5, 2.0, 2.1, 5.0, 29.9])
def test_windows_reach_from_the_beginning_to_the_end(seconds: float) -> None:
    samples = round(seconds * 16_000)
    starts = window_starts(samples)
    assert starts[0] == 0
    assert starts[-1] == max(0, samples - round(WINDOW_S * 16_000))
    assert all(0 < later - earlier <= STEP_S * 16_000 for earlier, later in pairwise(starts))


def test_pitch_energy_and_mood_are_there_while_the_voice_is(course: Course) -> None:
    spoken = course.times_s < 2.9
    assert np.nanmedian(course.pitch_hz[spoken]) == pytest.approx(150.0, rel=0.1)
    assert np.isnan(course.pitch_hz[course.times_s > 3.2]).all()
    assert np.median(course.energy_db[spoken]) > np.median(course.energy_db[~spoken]) + 20.0
    assert 1.0 <= course.moods[0] <= 5.0
    assert np.isnan(course.moods[-1])


def test_the_picture_shows_three_curves_in_their_colours(course: Course) -> None:
    picture = draw(course)
    assert picture.shape[1:] == (WIDTH_PX, 3)
    for colour in ((0, 130, 60), (30, 80, 170), (190, 40, 40)):
        assert (picture == colour).all(axis=2).sum() > 200


def test_the_command_prints_a_table_and_writes_the_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "voice.wav", voice(150.0, 2.5), 16_000)
    explain_audio(tmp_path / "voice.wav", tmp_path / "out.png")
    assert "Hz" in capsys.readouterr().out
    picture = cv2.imread(str(tmp_path / "out.png"))
    assert picture is not None
    assert picture.shape[1] == WIDTH_PX


def test_a_recording_without_sound_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    with pytest.raises(BadInputError):
        explain_audio(tmp_path / "empty.wav", None)
