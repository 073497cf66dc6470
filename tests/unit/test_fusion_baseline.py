"""Moods relative to a person's usual."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion.baseline import relative_mood, relative_words

moods = st.floats(1, 5)


@given(moods, moods)
def test_a_relative_mood_stays_on_the_scale(mood: float, usual: float) -> None:
    assert 1 <= relative_mood(mood, usual) <= 5


@given(moods, moods, moods)
def test_the_order_of_moods_is_kept(lower: float, higher: float, usual: float) -> None:
    lower, higher = sorted((lower, higher))
    assert relative_mood(lower, usual) <= relative_mood(higher, usual) + 1e-12


@given(st.floats(1.5, 4.5))
def test_the_usual_mood_becomes_the_middle(usual: float) -> None:
    assert relative_mood(usual, usual) == pytest.approx(3)


@given(moods)
def test_who_is_usually_even_is_told_the_absolute_mood(mood: float) -> None:
    assert relative_mood(mood, 3.0) == pytest.approx(mood)


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        (1.2, "much lower than usual"),
        (3.0, "about as usual"),
        (4.0, "higher than usual"),
        (5.0, "much higher than usual"),
    ],
)
def test_a_relative_mood_in_words(mood: float, words: str) -> None:
    assert relative_words(mood) == words
