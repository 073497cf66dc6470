"""What a count of covered moods is worth: thirds by width, and draws of few actors."""

import numpy as np

from services.fusion.training.coverage import Coverage, chance_within

WITHIN = (0.78, 0.82)


def _covered(share: float, actors: int, clips: int) -> Coverage:
    """Return intervals of growing width, of which each actor's same share covers in every third."""
    names = np.repeat(np.arange(actors), clips)
    place = np.tile(np.arange(clips), actors)
    half = 0.1 + place / clips
    moods = np.where(place % 10 < 10 * share, 3.0, 9.0)
    return Coverage.of(3.0 - half, 3.0 + half, moods, names)


def test_shares_are_told_overall_and_by_thirds_of_the_width() -> None:
    half = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    moods = np.array([3.0, 3.0, 3.0, 9.0, 9.0, 9.0])
    assert Coverage.of(3 - half, 3 + half, moods, np.arange(6)).shares().tolist() == [0.5, 1.0, 0.5, 0.0]


def test_some_actors_have_thirds_of_their_own() -> None:
    half = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    moods = np.array([9.0, 9.0, 9.0, 3.0, 3.0, 9.0])
    drawn = Coverage.of(3 - half, 3 + half, moods, np.array([0, 0, 0, 1, 1, 1])).of_actors(np.array([1]))
    assert drawn.shares().round(2).tolist() == [0.67, 1.0, 1.0, 0.0]


def test_where_all_actors_are_alike_every_draw_is_within_and_one_that_misses_never_is() -> None:
    alike, short = _covered(0.8, 20, 300), _covered(0.7, 20, 300)
    assert chance_within({"": alike, "_voice": alike}, 5, WITHIN, draws=20) == 1.0
    assert chance_within({"": alike, "_voice": short}, 5, WITHIN, draws=20) == 0.0


def test_few_actors_who_differ_tell_less_than_many() -> None:
    random = np.random.default_rng(1)
    names = np.repeat(np.arange(100), 30)
    easy = random.choice([0.6, 1.0], 100)[names]
    moods = np.where(random.random(len(names)) < easy, 3.0, 9.0)
    half = random.uniform(0.1, 1.0, len(names))
    differ = Coverage.of(3 - half, 3 + half, moods, names)
    few, many = (chance_within({"": differ}, actors, WITHIN, draws=100) for actors in (10, 95))
    assert few < many
