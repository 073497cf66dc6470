"""How the training goes from small, tame images to those that cameras make."""

from dataclasses import dataclass
from typing import Final

from services.face.training.augment import SIZE

_SMALL: Final = 32
_SMALL_UNTIL: Final = 0.5
_STRENGTH: Final = (0.3, 0.7)


@dataclass(frozen=True, slots=True)
class Stage:
    """What an epoch is like: smaller and tamer images first cost less and lose nothing.

    Source: Tan and Le, "EfficientNetV2", 2021 (https://arxiv.org/abs/2104.00298), progressive learning.

    Attributes:
        side: Width and height of the images, pixels.
        strength: Of the augmentation, 0..1.
    """

    side: int
    strength: float


def stage_of(epoch: int, epochs: int) -> Stage:
    """Return what an epoch, counted from 0, is like in a training of so many."""
    done = epoch / epochs
    first, last = _STRENGTH
    return Stage(_SMALL if done < _SMALL_UNTIL else SIZE, first + (last - first) * done)
