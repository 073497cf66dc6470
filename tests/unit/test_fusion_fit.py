"""The fit reads votes right, measures right, and covers people who were not there."""

from math import pi, sqrt
from pathlib import Path

import numpy as np
import pytest

from services.fusion.accumulate import contribution_of
from services.fusion.fuse import fuse
from services.fusion.parameters import read_parameters, write_parameters
from services.fusion.pool import pool
from services.fusion.training.conformal import COVERAGE, Errors, calibrated, on_its_side, quantile_over_actors
from services.fusion.training.coverage import interval_scores
from services.fusion.training.evaluate import _half_panel_error
from services.fusion.training.fit import BOTH, INPUTS, divergence, fit, losses, panel_parameters
from services.fusion.training.transfer import READER_ERROR, Gaps, gaps_of, transferred
from services.fusion.training.votes import Panels, evidence_of, rater_error, read_votes, scores_of, shares_of
from shared.emotions import EMOTIONS, Emotion, Modality

HEADER = '"","A","D","F","H","N","S","fileName"\n'


def panels(clips: int, seed: int = 0) -> Panels:
    """Votes of people who agree more or less, on clips of twenty actors."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet([0.3] * 7, clips)
    truth[:, EMOTIONS.index(Emotion.SURPRISE)] = 0
    truth /= truth.sum(axis=1, keepdims=True)
    voice, face, both = (
        np.array([random.multinomial(10, blur * p + (1 - blur) / 7 * (p > -1)) for p in truth]).astype(float)
        for blur in (0.4, 0.8, 0.95)
    )
    for votes in (voice, face, both):
        votes[:, EMOTIONS.index(Emotion.SURPRISE)] = 0
        votes[:, EMOTIONS.index(Emotion.NEUTRAL)] += 1
    return Panels(voice=voice, face=face, both=both, actors=np.repeat(np.arange(1001, 1021), clips // 20))


def test_votes_are_read_by_what_people_had(tmp_path: Path) -> None:
    (tmp_path / "votes").mkdir()
    rows = [
        '"100001",1,0,0,2,3,0,"1005_X_HAP_XX"',
        '"200001",0,0,0,9,1,0,"1005_X_HAP_XX"',
        '"300001",0,1,0,8,1,0,"1005_X_HAP_XX"',
    ]
    incomplete = '"100002",0,0,0,0,9,0,"1006_X_NEU_XX"'
    (tmp_path / "votes" / "tabulatedVotes.csv").write_text(HEADER + "\n".join([*rows, incomplete]) + "\n")
    read = read_votes(tmp_path)
    assert read.actors.tolist() == [1005]
    assert read.held_out.tolist() == [True]
    joy, neutral = EMOTIONS.index(Emotion.JOY), EMOTIONS.index(Emotion.NEUTRAL)
    assert (read.voice[0, joy], read.face[0, joy], read.both[0, joy]) == (2, 9, 8)
    assert read.voice[0, neutral] == 3
    assert read.voice.sum() == 6


def test_thinning_keeps_votes_that_were_cast() -> None:
    before = panels(40)
    after = before.thinned(3, seed=1)
    assert (after.voice <= before.voice).all()
    assert (after.voice.sum(axis=1) == 3).all()
    assert (after.both == before.both).all()


@pytest.mark.parametrize("inputs", INPUTS)
def test_what_is_fitted_is_what_is_served(inputs: tuple[Modality, ...]) -> None:
    clips, parameters = panels(20), panel_parameters()
    at_once = pool(evidence_of(clips, inputs), parameters)
    for index in range(len(clips.actors)):
        sums = {score.modality: contribution_of(score).total for score in scores_of(clips, index, inputs)}
        fused = fuse(sums, parameters)
        assert fused is not None
        assert fused.mood == pytest.approx(at_once.moods[index], abs=1e-4)
        assert fused.distribution == pytest.approx(at_once.distributions[index], abs=1e-4)
        assert fused.spread == pytest.approx(at_once.spreads[index], abs=1e-4)


def test_fitting_beats_either_input_alone() -> None:
    clips = panels(600)
    fitted = fit(clips.take(clips.actors <= 1015))
    held = clips.take(clips.actors > 1015)
    both, voice, face = (losses(fitted, evidence_of(held, inputs), held)[0] for inputs in INPUTS)
    assert both < min(voice, face)


def test_the_divergence_of_distributions() -> None:
    one, other = np.eye(7)[:1], np.eye(7)[1:2]
    assert divergence(one, one)[0] == pytest.approx(0)
    assert divergence(one, other)[0] == pytest.approx(1)


def test_the_quantile_is_that_of_actors_and_not_of_clips() -> None:
    # Nine calm actors with one clip each, and one whose thousand clips are all far off.
    scores = np.concatenate([np.linspace(0.1, 0.9, 9), np.full(1000, 5.0)])
    actors = np.concatenate([np.arange(9), np.full(1000, 9)])
    assert quantile_over_actors(scores, actors) == pytest.approx(0.8)


def test_calibrated_intervals_cover_new_actors() -> None:
    random = np.random.default_rng(3)

    def errors(actors: int) -> Errors:
        spreads = random.uniform(0.2, 1.0, actors * 20)
        scale = np.repeat(random.uniform(0.7, 1.3, actors), 20)
        # The predicted spread is wrong in shape: calibration has to bend it.
        found = np.abs(random.normal(size=actors * 20)) * spreads**2 * scale
        return Errors(spreads=spreads, errors=found, actors=np.repeat(np.arange(actors), 20))

    calibration, new = calibrated(errors(100), bins=6), errors(200)
    assert list(calibration.half_widths) == sorted(calibration.half_widths)
    covered = new.errors <= calibration.half_width(new.spreads)
    for third in np.array_split(np.argsort(new.spreads), 3):
        assert covered[third].mean() == pytest.approx(COVERAGE, abs=0.04)


def test_what_is_missed_costs_more_than_width() -> None:
    low, high, moods = np.array([2.0, 2.0, 2.0]), np.array([3.0, 3.0, 3.0]), np.array([2.5, 3.1, 1.5])
    assert interval_scores(low, high, moods) == pytest.approx([1.0, 2.0, 6.0])


def test_an_error_is_judged_by_the_side_on_which_it_lies() -> None:
    pooled = pool(evidence_of(panels(40), BOTH), panel_parameters())
    below, above = (pooled.half_widths * (1 + side * pooled.leans) for side in (-1, 1))
    assert np.abs(pooled.leans).max() > 0.2
    for moods in (pooled.moods - below, pooled.moods + above):
        assert on_its_side(pooled, moods) == pytest.approx(pooled.half_widths)


def test_the_worse_our_model_the_less_it_is_believed() -> None:
    gaps = Gaps(voice=0.55, face=0.25, words=0.4, mood_sd=1.0)
    believed = panel_parameters()
    exact = transferred(believed, gaps, dict.fromkeys(Modality, 0.0))
    poor = transferred(believed, gaps, {Modality.TEXT: 0.5, Modality.AUDIO: 0.55, Modality.FACE: 0.25})
    for modality in (Modality.AUDIO, Modality.FACE):
        panel = believed.modalities[modality]
        assert exact.modalities[modality].reliability == pytest.approx(panel.reliability)
        assert exact.modalities[modality].linear_share == pytest.approx(panel.linear_share)
        assert exact.modalities[modality].error_sd == pytest.approx(panel.error_sd)
        assert poor.modalities[modality].reliability == pytest.approx(panel.reliability / 2)
        assert poor.modalities[modality].linear_share > panel.linear_share
        assert poor.modalities[modality].error_sd > panel.error_sd
    assert exact.modalities[Modality.TEXT].reliability == pytest.approx((0.25 / 0.4) ** 2)
    assert exact.modalities[Modality.TEXT].error_sd == pytest.approx(0.4 * sqrt(pi / 2))


def test_the_gap_of_words_lies_where_readers_agree_beside_those_who_heard_and_saw() -> None:
    clips = panels(600)
    gaps, heard, seen = gaps_of(clips), rater_error(clips.voice), rater_error(clips.face)
    assert seen < heard
    assert (gaps.words - gaps.face) * (heard - seen) == pytest.approx(
        (gaps.voice - gaps.face) * (READER_ERROR - seen), abs=1e-9
    )


def test_parameters_survive_being_written() -> None:
    parameters = panel_parameters()
    assert read_parameters(write_parameters(parameters)) == parameters


def test_the_error_of_one_rater_and_of_half_a_panel() -> None:
    votes = np.zeros((1, 7))
    votes[0, EMOTIONS.index(Emotion.JOY)], votes[0, EMOTIONS.index(Emotion.NEUTRAL)] = 1, 1
    assert rater_error(votes) == pytest.approx(1.75)
    assert _half_panel_error(votes) == pytest.approx(1.75)
    assert rater_error(np.array([[0, 0, 0, 5.0, 0, 0, 0]])) == 0


def test_shares_sum_to_one() -> None:
    assert shares_of(panels(20).voice).sum(axis=1) == pytest.approx(np.ones(20))
    assert evidence_of(panels(20), BOTH).shares[:, 0].sum() == 0
