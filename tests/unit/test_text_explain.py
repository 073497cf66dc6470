"""Which words moved a score: occlusion over a score whose parts are known."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.text.explain import MAX_STRETCHES, explain

WORTH = {"good": 1.0, "bad": -1.5}


def _score(texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([3.0 + sum(WORTH.get(word, 0.0) for word in text.split()) for text in texts])


def test_each_word_gets_what_it_adds() -> None:
    (first, second) = explain(_score, [["a", "good", "day"], ["bad"]])
    assert first == pytest.approx((0.0, 1.0, 0.0))
    assert second == pytest.approx((-1.5,))


@given(st.lists(st.lists(st.sampled_from(["good", "bad", "so"]), max_size=200), max_size=4))
def test_effects_of_an_additive_score_add_up(texts: list[list[str]]) -> None:
    effects = explain(_score, texts)
    for words, moved in zip(texts, effects, strict=True):
        assert len(moved) == len(words)
        assert sum(moved) == pytest.approx(sum(WORTH.get(word, 0.0) for word in words), abs=1e-9)


def test_long_texts_take_no_more_readings() -> None:
    readings: list[int] = []

    def counting(texts: Sequence[str]) -> NDArray[np.float64]:
        readings.append(len(texts))
        return _score(texts)

    explain(counting, [["so"] * 2000, ["good"] * 3])
    assert readings == [MAX_STRETCHES + 1 + 4], "one call, and a bounded number of readings"
    assert explain(_score, []) == []
