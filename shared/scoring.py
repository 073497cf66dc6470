"""The scorer port: what every modality's scorer can do, and the windows that it looks at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.emotions import Modality
from shared.messages.score import Judgement, ModelRef


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechWindow:
    """A stretch of speech, decoded.

    Attributes:
        session_id: Whose it is.
        start_s: Where it begins, in seconds from the start of the session.
        samples: float32 array of shape (n,), -1..1, 16 kHz.
    """

    session_id: str
    start_s: float
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedWindow:
    """Words that were typed.

    Attributes:
        session_id: Whose they are.
        text: The words.
    """

    session_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameWindow:
    """A video frame, decoded.

    Attributes:
        session_id: Whose it is.
        at_s: When it was taken, in seconds from the start of the session.
        image: RGB, uint8 array of shape (height, width, 3).
    """

    session_id: str
    at_s: float
    image: NDArray[np.uint8]


WindowT = TypeVar("WindowT")
WindowT_contra = TypeVar("WindowT_contra", contravariant=True)


class Scorer(Protocol[WindowT_contra]):
    """Judges windows. Pure: the same batch gives the same judgements, whatever came before.

    Which windows share a batch may still move a judgement, as where a model pads them all to the longest.
    """

    @property
    def modality(self) -> Modality:
        """What it judges."""

    @property
    def model(self) -> ModelRef:
        """Which model it uses."""

    def warm_up(self) -> None:
        """Run every path once, so that the first real window is as fast as the rest."""

    def score(self, windows: Sequence[WindowT_contra]) -> list[Judgement]:
        """Return one judgement a window, in the same order. An empty batch gives an empty list."""


def judge_apart(
    score: Callable[[Sequence[WindowT]], list[Judgement]],
    windows: Sequence[WindowT],
    fail: Callable[[WindowT, Exception], Judgement],
) -> list[Judgement]:
    """Judge a batch; where that breaks, judge one by one, so that one window cannot fail its neighbours.

    Args:
        score: Gives one judgement a window, in the same order.
        windows: What is judged; an empty batch gives an empty list.
        fail: Gives the judgement of a window on which ``score`` breaks even alone, and is told how.
    """
    try:
        return score(windows) if windows else []
    except Exception as error:  # noqa: BLE001  (whatever breaks one window must not reach the others)
        if len(windows) == 1:
            return [fail(windows[0], error)]
        return [judgement for window in windows for judgement in judge_apart(score, [window], fail)]
