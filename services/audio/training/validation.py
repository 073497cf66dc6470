"""Predictions for speakers and corpora left out, calibration on them, and the figures that are drawn from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from services.audio.training.corpus import AS_IS, Clips, Treatment
from services.audio.training.head import Calibration, Logits, clip_weights, run_head, train_head
from services.audio.training.treatments import TRAINED_ON
from shared.emotions import EMOTIONS, MOOD_VECTOR, mood_of

FOLDS: Final = 5
_ECE_BINS: Final = 15

EVERYDAY_MOOD: Final = 3.0
"""The mean mood assumed of speech: neither high nor low. The labels of everyday dialogue (MELD) have one of 2.93."""

Labels = NDArray[np.int64]
Distributions = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """What heads said of clips whose speakers, or whose corpus, they had not heard.

    Attributes:
        logits: Of all clips.
        folds: int array of shape (n,): the fold in which each clip was left out.
    """

    logits: Logits
    folds: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> "OutOfFold":
        """Return what was said of the chosen clips."""
        logits = Logits(emotion=self.logits.emotion[chosen], strength=self.logits.strength[chosen])
        return OutOfFold(logits=logits, folds=self.folds[chosen])


def log_prior() -> NDArray[np.float64]:
    """Return what is added to the logits of a head that was trained on equal classes, shape (7,).

    Equal classes have a mean mood of 2.4, because five of the seven emotions are unpleasant. The prior is the one with
    the mean mood :data:`EVERYDAY_MOOD` that is nearest to equal classes: their exponential tilt (Jaynes, "Information
    theory and statistical mechanics", 1957).
    """
    tilt = brentq(lambda tilt: mood_of(_softmax(tilt * MOOD_VECTOR[None, :]))[0] - EVERYDAY_MOOD, 0.0, 2.0)
    return np.asarray(tilt * (MOOD_VECTOR - MOOD_VECTOR.mean()))


def speaker_folds(clips: Clips, seed: int) -> NDArray[np.int64]:
    """Deal the speakers of each corpus to the folds, so that no speaker is in two.

    Returns:
        int array of shape (n,), 0..FOLDS-1.
    """
    rng = np.random.default_rng(seed)
    folds = np.zeros(len(clips), dtype=np.int64)
    for corpus in np.unique(clips.corpora):
        speakers = rng.permutation(np.unique(clips.speakers[clips.corpora == corpus]))
        for place, speaker in enumerate(speakers):
            folds[clips.speakers == speaker] = place % FOLDS
    return folds


def corpus_folds(clips: Clips) -> NDArray[np.int64]:
    """Make each corpus a fold of its own.

    Returns:
        int array of shape (n,), 0 up to the number of corpora.
    """
    return np.asarray(np.unique(clips.corpora, return_inverse=True)[1], dtype=np.int64)


def out_of_fold(
    clips: Clips, folds: NDArray[np.int64], seed: int, advance: Callable[[], object], classes: int = len(EMOTIONS)
) -> OutOfFold:
    """Train a head for each fold on the other folds and run it on the fold's clips.

    Args:
        clips: All clips; those whose treatment is not in ``TRAINED_ON`` are only judged.
        folds: :func:`speaker_folds` or :func:`corpus_folds`, int array of shape (n,).
        seed: Starts the heads.
        advance: Called after each fold.
        classes: How many emotions there are.
    """
    emotion, strength = np.zeros((len(clips), classes)), np.zeros(len(clips))
    trained_on = np.isin(clips.treatments, [treatment.name for treatment in TRAINED_ON])
    for fold in np.unique(folds):
        held = folds == fold
        logits = run_head(train_head(clips.take(~held & trained_on), seed, classes), clips.take(held))
        emotion[held], strength[held] = logits.emotion, logits.strength
        advance()
    return OutOfFold(logits=Logits(emotion=emotion, strength=strength), folds=folds)


def left_out(clips: Clips, seed: int, advance: Callable[[], object]) -> list[OutOfFold]:
    """Return the predictions for speakers left out, and those for corpora left out where there are several."""
    folds = [speaker_folds(clips, seed), corpus_folds(clips)]
    return [out_of_fold(clips, each, seed, advance) for each in folds if each.any()]


def under(treatment: Treatment, clips: Clips, held: Sequence[OutOfFold]) -> tuple[Clips, list[OutOfFold]]:
    """Return the clips under a treatment, and what was said of them."""
    chosen = clips.treatments == treatment.name
    return clips.take(chosen), [each.take(chosen) for each in held]


def fit_temperature(logits: NDArray[np.float64], labels: Labels, weights: NDArray[np.float32]) -> float:
    """Return the temperature with the least weighted negative log-likelihood (Guo et al., 2017).

    Args:
        logits: float64 array of shape (n, classes).
        labels: int array of shape (n,).
        weights: float32 array of shape (n,); those of :func:`clip_weights` make the classes equal.
    """
    candidates = np.geomspace(0.2, 5.0, 200)
    rows = np.arange(len(labels))
    losses = [
        -np.average(np.log(_softmax(logits / candidate)[rows, labels] + 1e-12), weights=weights)
        for candidate in candidates
    ]
    return float(candidates[np.argmin(losses)])


def calibrate(clips: Clips, held: OutOfFold) -> Calibration:
    """Return the calibration that suits predictions for speakers left out."""
    known = np.isfinite(clips.strong)
    strength = np.stack([np.zeros(len(clips)), held.logits.strength], axis=1)[known]
    labels = clips.strong[known].astype(np.int64)
    return Calibration(
        temperature=_temperature(clips, held, np.ones(len(clips), dtype=np.bool_)),
        log_prior=log_prior(),
        strength_temperature=fit_temperature(strength, labels, np.ones(len(labels), np.float32))
        if len(labels)
        else None,
    )


def _temperature(clips: Clips, held: OutOfFold, chosen: NDArray[np.bool_]) -> float:
    fitted_on = chosen & (clips.treatments == AS_IS.name)
    some = clips.take(fitted_on)
    return fit_temperature(held.logits.emotion[fitted_on], some.emotions, clip_weights(some))


def _softmax(logits: NDArray[np.float64]) -> Distributions:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def served(logits: NDArray[np.float64], temperature: float) -> Distributions:
    """Return the distributions that the serving model makes of logits, shape (n, 7)."""
    return _softmax(logits / temperature + log_prior())


def served_out_of_fold(clips: Clips, held: OutOfFold, speakers_held: OutOfFold) -> Distributions:
    """Return served distributions, each fold at the temperature that suits the other folds' clips.

    Args:
        clips: All clips.
        held: What is served, by speaker or by corpus.
        speakers_held: Predictions for speakers left out, which temperatures are fitted on.
    """
    result = np.zeros_like(held.logits.emotion)
    for fold in np.unique(held.folds):
        here = held.folds == fold
        result[here] = served(held.logits.emotion[here], _temperature(clips, speakers_held, ~here))
    return result


def unweighted_average_recall(distributions: Distributions, labels: Labels) -> float:
    """Return the mean over the classes that occur of the share of each that is recognised, 0..1."""
    right = distributions.argmax(axis=1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def expected_calibration_error(distributions: Distributions, labels: Labels) -> float:
    """Return the mean gap between the top probability and how often it is right, over 15 equal bins, 0..1."""
    top = distributions.max(axis=1)
    right = distributions.argmax(axis=1) == labels
    bins = np.minimum((top * _ECE_BINS).astype(np.int64), _ECE_BINS - 1)
    gaps = [abs(float((right[bins == b] - top[bins == b]).sum())) for b in np.unique(bins)]
    return sum(gaps) / len(labels)
