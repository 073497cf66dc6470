"""What a larger model, the teacher, says of the training texts, for a smaller one to learn from beside the labels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.text.training.corpora import Example
from shared.errors import BadInputError

SHARE: Final = 0.7
ALONE: Final = 0.5
"""How much the teacher's answer counts in the loss where there is no label, or only a coarse one."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """The teacher's answers (knowledge distillation, Hinton et al. 2015).

    Attributes:
        rows: Row of each text, by the text's digest.
        distributions: Shape (n, 7), float, over :data:`shared.emotions.EMOTIONS`.
        valences: Shape (n,), float, 1..5.
        share: How much of a target is the teacher's where there is a label too, 0..1.
    """

    rows: dict[bytes, int]
    distributions: NDArray[np.float64]
    valences: NDArray[np.float64]
    share: float = SHARE

    def blend(self, example: Example) -> Example:
        """Return an example whose targets are most of the way to the teacher's answer, or the answer where it has none.

        A text that the teacher was not asked about stays as it is.
        """
        row = self.rows.get(_digest(example.text))
        if row is None:
            return example
        distribution, valence = self.distributions[row], float(self.valences[row])
        if example.emotions is None:
            example = replace(example, emotions=tuple(distribution), emotion_weight=ALONE)
        else:
            mixed = self.share * distribution + (1 - self.share) * np.array(example.emotions)
            example = replace(example, emotions=tuple(mixed))
        if example.valence is None or example.valence_weight < ALONE:
            return replace(example, valence=valence, valence_weight=ALONE)
        return replace(example, valence=self.share * valence + (1 - self.share) * example.valence)

    def taught(self, examples: Iterable[Example]) -> list[Example]:
        """Return the examples with the teacher's part, without those of which nobody has told anything."""
        blended = (self.blend(example) for example in examples)
        return [example for example in blended if example.emotions is not None or example.valence is not None]

    def write(self, path: Path) -> None:
        """Write the answers as an ``.npz``; digests stand for the texts."""
        path.parent.mkdir(parents=True, exist_ok=True)
        digests = np.frombuffer(b"".join(self.rows), np.uint8).reshape(len(self.rows), -1)
        np.savez(path, digests=digests, distributions=self.distributions, valences=self.valences)


def of_answers(texts: Sequence[str], distributions: NDArray[np.float64], valences: NDArray[np.float64]) -> Lessons:
    """Return the lessons of a teacher's answers.

    Args:
        texts: n texts, all different.
        distributions: Shape (n, 7).
        valences: Shape (n,), clipped to 1..5.
    """
    return Lessons({_digest(text): row for row, text in enumerate(texts)}, distributions, np.clip(valences, 1.0, 5.0))


def read_lessons(path: Path, share: float = SHARE) -> Lessons:
    """Read what :meth:`Lessons.write` wrote.

    Args:
        path: The file.
        share: As in :class:`Lessons`.

    Raises:
        BadInputError: There is no such file.
    """
    try:
        with np.load(path) as file:
            rows = {digest.tobytes(): row for row, digest in enumerate(file["digests"])}
            return Lessons(rows, file["distributions"], file["valences"], share)
    except FileNotFoundError:
        raise BadInputError(f"There is no {path}: write it with python -m services.text.training.teach.") from None


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
