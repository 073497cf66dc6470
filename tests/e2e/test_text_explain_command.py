"""``mien explain text``: which words moved the score."""

import json

import pytest

from tests.e2e.command import mien


def test_words_and_their_effects_as_json() -> None:
    done = mien("explain", "text", "--json", "I hate this terrible chair")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [word["text"] for word in told["words"]] == ["I", "hate", "this", "terrible", "chair"]
    assert told["mood"] < 2.5
    worst = min(told["words"], key=lambda word: word["effect"])
    assert worst["text"] in {"hate", "terrible"}
    assert worst["effect"] < -0.1
    assert sum(told["distribution"].values()) == pytest.approx(1, abs=1e-3)


def test_words_in_the_order_of_their_effect() -> None:
    done = mien("explain", "text", "the chair is wonderful")
    assert done.returncode == 0, done.stderr
    assert "the chair is wonderful" in done.stdout
    strongest = next(line for line in done.stdout.splitlines() if line.startswith(("+", "-")))
    assert strongest.startswith("+")
    assert strongest.endswith("wonderful")


def test_nothing_to_explain() -> None:
    done = mien("explain", "text", "  ")
    assert done.returncode == 2
    assert "give some words" in done.stderr
