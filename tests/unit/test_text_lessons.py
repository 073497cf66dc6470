"""What a small model is taught by a larger one's answers, beside the labels."""

from pathlib import Path

import numpy as np
import pytest

from services.text.training.corpora import Example
from services.text.training.lessons import ALONE, SHARE, Lessons, of_answers, read_lessons
from shared.emotions import EMOTIONS, Emotion
from shared.errors import BadInputError

JOY = tuple(float(emotion is Emotion.JOY) for emotion in EMOTIONS)
NEUTRAL = tuple(float(emotion is Emotion.NEUTRAL) for emotion in EMOTIONS)


@pytest.fixture
def lessons() -> Lessons:
    return of_answers(["one", "two"], np.array([JOY, NEUTRAL]), np.array([5.4, 3.0]))


def test_an_answer_outweighs_a_label(lessons: Lessons) -> None:
    blended = lessons.blend(Example("one", emotions=NEUTRAL, valence=2.0))
    assert blended.valence == pytest.approx(SHARE * 5.0 + (1 - SHARE) * 2.0), "the answer is clipped to 5 first"
    assert blended.emotions == pytest.approx(SHARE * np.array(JOY) + (1 - SHARE) * np.array(NEUTRAL))
    assert (blended.emotion_weight, blended.valence_weight) == (1.0, 1.0)


def test_what_has_no_label_learns_from_the_answer_alone(lessons: Lessons) -> None:
    blended = lessons.blend(Example("two", valence=1.0))
    assert blended.emotions == pytest.approx(NEUTRAL)
    assert blended.emotion_weight == ALONE


def test_an_answer_takes_the_place_of_a_coarse_valence(lessons: Lessons) -> None:
    blended = lessons.blend(Example("two", NEUTRAL, 2.0, valence_weight=0.2))
    assert (blended.valence, blended.valence_weight) == (3.0, ALONE)


def test_a_text_that_was_not_asked_about_stays(lessons: Lessons) -> None:
    example = Example("three", valence=1.0)
    assert lessons.blend(example) is example


def test_what_nobody_has_told_anything_of_is_left_out(lessons: Lessons) -> None:
    taught = lessons.taught([Example("one"), Example("three"), Example("four", valence=2.0)])
    assert [example.text for example in taught] == ["one", "four"]
    assert taught[0].valence == 5.0


def test_lessons_are_read_as_written_without_the_texts(lessons: Lessons, tmp_path: Path) -> None:
    path = tmp_path / "new" / "lessons.npz"
    lessons.write(path)
    assert read_lessons(path).blend(Example("one")) == lessons.blend(Example("one"))
    assert b"two" not in path.read_bytes()


def test_missing_lessons_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"training\.teach"):
        read_lessons(tmp_path / "no.npz")


def test_how_much_an_answer_counts_can_be_said(lessons: Lessons, tmp_path: Path) -> None:
    path = tmp_path / "lessons.npz"
    lessons.write(path)
    blended = read_lessons(path, share=0.5).blend(Example("one", valence=2.0))
    assert blended.valence == pytest.approx(3.5)
