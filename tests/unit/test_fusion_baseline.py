"""Moods relative to a person's usual."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.fusion.api.models import NewSession
from services.fusion.baseline import Baseline, relative_mood, relative_words
from services.fusion.replay import EvidenceExport
from shared.messages.session import USUAL_MAX, USUAL_MIN, SessionStarted

moods = st.floats(1, 5)
usuals = st.floats(USUAL_MIN, USUAL_MAX)


@given(moods, usuals)
def test_a_relative_mood_stays_on_the_scale(mood: float, usual: float) -> None:
    assert 1 <= relative_mood(mood, usual) <= 5


@given(moods, moods, usuals)
def test_the_order_of_moods_is_kept(lower: float, higher: float, usual: float) -> None:
    lower, higher = sorted((lower, higher))
    assert relative_mood(lower, usual) <= relative_mood(higher, usual) + 1e-12


@given(usuals)
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


@pytest.mark.parametrize("model", [NewSession, SessionStarted, Baseline, EvidenceExport])
@pytest.mark.parametrize("usual", [1.0, USUAL_MIN - 0.01, USUAL_MAX + 0.01, 5.0])
def test_a_usual_mood_too_near_an_end_is_refused_wherever_it_comes_in(model: type[BaseModel], usual: float) -> None:
    field = "usual" if model is Baseline else "baseline"
    with pytest.raises(ValidationError) as refused:
        model.model_validate({field: usual})
    assert field in {fault["loc"][0] for fault in refused.value.errors()}
    with pytest.raises(ValidationError) as others_missing:
        model.model_validate({field: min(max(usual, USUAL_MIN), USUAL_MAX)})
    assert field not in {fault["loc"][0] for fault in others_missing.value.errors()}
