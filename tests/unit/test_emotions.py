"""The order of the emotions is the order of every distribution."""

import numpy as np
import pytest

from shared.emotions import EMOTIONS, MOOD_VALUES, Emotion, as_mapping, as_vector, mood_of


def test_order_is_alphabetical_and_fixed() -> None:
    assert [str(emotion) for emotion in EMOTIONS] == [
        "anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise",
    ]  # fmt: skip


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_certain_emotion_has_its_own_mood(emotion: Emotion) -> None:
    certain = np.array([float(other is emotion) for other in EMOTIONS])
    assert mood_of(certain) == pytest.approx(MOOD_VALUES[emotion])


def test_mood_of_a_batch_keeps_its_shape() -> None:
    assert mood_of(np.full((4, 3, 7), 1 / 7)).shape == (4, 3)


def test_naming_and_back() -> None:
    vector = np.linspace(0, 1, 7) / np.linspace(0, 1, 7).sum()
    np.testing.assert_array_equal(as_vector(as_mapping(vector)), vector)


def test_naming_refuses_another_length() -> None:
    with pytest.raises(ValueError, match="zip"):
        as_mapping([0.5, 0.5])
