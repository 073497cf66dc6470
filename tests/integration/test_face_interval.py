"""A face that is hard to read counts less, and the answer of the whole system is less sure: a wider interval."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.capture.sources.file import FileSource
from services.capture.sources.port import VideoFrame
from services.embedded import Embedded
from services.face.model import FaceModel
from services.face.settings import FaceSettings
from services.fusion.results import SessionResult
from shared.emotions import Modality
from shared.messages.details import FaceDetails
from shared.messages.score import ModalityScore
from shared.sessions import new_session
from tests.e2e.command import SAMPLE

Image = NDArray[np.uint8]

FPS = 2.0
MOUTH = 3
"""Place of the mouth among the detector's key points."""


class Recording:
    """Frames that were made ready before."""

    has_audio, has_video, problem = False, True, None
    duration_s = None

    def __init__(self, frames: Sequence[VideoFrame]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[VideoFrame]:
        return iter(self._frames)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a recording."""

    result: SessionResult
    scores: tuple[ModalityScore, ...]

    @property
    def quality(self) -> float:
        """Mean quality of its judgements."""
        return float(np.mean([score.quality for score in self.scores]))

    @property
    def width(self) -> float:
        """Width of the answer's 80 % interval."""
        assert self.result.mood is not None
        return self.result.mood.high - self.result.mood.low

    @property
    def face_px(self) -> float:
        """Size of the largest face."""
        details = [score.details for score in self.scores]
        return max(each.face_px or 0 for each in details if isinstance(each, FaceDetails))


@pytest.fixture(scope="module")
def mien() -> Iterator[Embedded]:
    with Embedded([Modality.FACE]) as mien:
        yield mien


@pytest.fixture(scope="module")
def plain(mien: Embedded) -> Judged:
    return judged(mien, lambda image: image)


def judged(mien: Embedded, change: Callable[[Image], Image]) -> Judged:
    """Play the sample, each frame changed, as a session of the face alone."""
    frames = [item for item in FileSource(SAMPLE, FPS, audio=False) if isinstance(item, VideoFrame)]
    started, _ = new_session([Modality.FACE])
    mien.play(Recording([VideoFrame(frame.at_s, change(frame.image)) for frame in frames]), started)
    result = mien.result(started.session_id)
    return Judged(result, tuple(mien.export(started.session_id).evidence))


def far_away(image: Image) -> Image:
    """Make the picture a small one, as a cheap camera's across a room, with a margin around it."""
    small = cv2.resize(image, None, fx=0.22, fy=0.22, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(small, 20, 20, 20, 20, cv2.BORDER_REPLICATE), dtype=np.uint8)


def test_a_covered_mouth_lowers_the_quality_and_widens_the_interval(mien: Embedded, plain: Judged) -> None:
    model = FaceModel(FaceSettings().weights)

    def masked(image: Image) -> Image:
        ((face, *_),) = model.detect([image])
        centre, reach = face.points[MOUTH], face.size_px * np.array([0.34, 0.22])
        (left, top), (right, bottom) = (np.round(centre + sign * reach).astype(int).tolist() for sign in (-1, 1))
        return np.asarray(cv2.rectangle(image.copy(), (left, top), (right, bottom), (128, 128, 128), -1))

    covered = judged(mien, masked)
    assert covered.face_px > 40
    assert covered.quality < 0.8 * plain.quality
    assert covered.width > 1.1 * plain.width


def test_a_face_under_40_pixels_lowers_the_quality_and_widens_the_interval(mien: Embedded, plain: Judged) -> None:
    far = judged(mien, far_away)
    assert 24 < far.face_px < 40 < plain.face_px
    assert far.quality < 0.5 * plain.quality
    assert far.width > 1.1 * plain.width
