"""What a person would check first, on the weights that ship; `make scoreboard AREA=text` reports the rates."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from services.text.model import TextModel
from services.text.settings import TextSettings
from services.text.training import behaviour
from services.text.training.behaviour import Case, verdicts
from services.text.training.generated import generated

MOST = 80


@pytest.fixture(scope="module")
def model() -> TextModel:
    return TextModel(TextSettings().weights, threads=2)


@pytest.mark.parametrize(
    ("check", "least"),
    [
        (behaviour.negation, 0.95),
        (behaviour.contrast, 0.85),
        (behaviour.facts, 0.95),
        (behaviour.small_talk, 0.95),
        (behaviour.names, 0.88),
        (behaviour.intensity, 0.8),
        (behaviour.identity, 0.88),
        (behaviour.single, 0.85),
    ],
)
def test_most_generated_cases_hold(model: TextModel, check: Callable[[], Iterator[Case]], least: float) -> None:
    held = verdicts(model, list(check()), MOST)
    assert len(held) >= 20
    assert np.mean(held) >= least


@pytest.mark.parametrize("check", behaviour.CHECKS)
def test_there_are_many_cases_and_each_can_fail(check: Callable[[], Iterator[Case]]) -> None:
    cases = list(check())
    assert len({case.texts for case in cases}) == len(cases)
    for case in cases[:20]:
        far = np.linspace(1, 5, len(case.texts)) if len(case.texts) > 1 else np.array([9.0])
        assert not (case.holds(far) and case.holds(far[::-1]))


def test_nothing_that_is_checked_was_trained_on() -> None:
    trained = {example.text.lower().rstrip(".") for example in generated()}
    checked = {text.lower().rstrip(".!") for check in behaviour.CHECKS for case in check() for text in case.texts}
    assert len(trained) > 5000
    assert not trained & checked


def test_two_thousand_words_are_read_to_their_end(model: TextModel) -> None:
    plain = ["the", "shelf", "is", "made", "of", "wood"] * 300
    end = ["and", "i", "am", "so", "glad"] * 40
    calm, first, last = model.predict([" ".join(words) for words in (plain, end + plain, plain + end)]).valences
    assert first > calm + 0.1
    assert last == pytest.approx(first, abs=0.15)
