"""The face models as served: faces found, expressions read, weights trusted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.capture.sources.file import FileSource
from services.capture.sources.port import VideoFrame
from services.face.features import crop_face
from services.face.model import FaceModel
from services.face.scorer import FaceScorer
from services.face.settings import FaceSettings
from services.face.training.dataset import FERPLUS
from services.face.training.evaluate import evaluate
from services.face.worker import load_scorer
from shared.emotions import EMOTIONS, Emotion
from shared.errors import WeightsError
from shared.media.jpeg import decode_jpeg
from shared.messages.details import FaceDetails
from shared.messages.score import Judgement, Status
from shared.scoring import FrameWindow

DATA = Path(__file__).parents[3] / "shared" / "data"
TALKING = [
    *(f"1001_DFA_{emotion}_XX.mp4" for emotion in ("ANG", "HAP", "NEU")),
    *(f"{clip}.mpg" for clip in ("bbaf2n", "brbk7n", "lbax4n", "lbbc2a")),
]
SKIN, HAIR, WHITE, IRIS, LIPS = (224, 172, 140), (60, 40, 30), (255, 255, 255), (40, 30, 20), (160, 50, 60)


@pytest.fixture(scope="module")
def scorer() -> Iterator[FaceScorer]:
    yield load_scorer(FaceSettings())


def draw_face(image: NDArray[np.uint8], centre: tuple[int, int], radius: int) -> NDArray[np.uint8]:
    """Draw a smiling face as a child would; the eyes lie 0.64 radii apart."""
    x, y = centre
    cv2.ellipse(image, centre, (round(0.78 * radius), radius), 0, 0, 360, SKIN, -1)
    cv2.ellipse(
        image, (x, round(y - 0.55 * radius)), (round(0.8 * radius), round(0.55 * radius)), 0, 180, 360, HAIR, -1
    )
    for side in (-1, 1):
        eye = (round(x + side * 0.32 * radius), round(y - 0.15 * radius))
        cv2.ellipse(image, eye, (round(0.15 * radius), round(0.08 * radius)), 0, 0, 360, WHITE, -1)
        cv2.circle(image, eye, round(0.07 * radius), IRIS, -1)
        brow = (eye[0], round(eye[1] - 0.17 * radius))
        cv2.ellipse(image, brow, (round(0.2 * radius), round(0.06 * radius)), 0, 180, 360, HAIR, 3)
    nose = (x, round(y + 0.22 * radius))
    cv2.ellipse(image, nose, (round(0.12 * radius), round(0.06 * radius)), 0, 0, 180, (170, 110, 90), 2)
    mouth = (x, round(y + 0.42 * radius))
    cv2.ellipse(image, mouth, (round(0.3 * radius), round(0.18 * radius)), 0, 0, 180, LIPS, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1), dtype=np.uint8)


def _blank(height: int = 360, width: int = 480) -> NDArray[np.uint8]:
    return np.full((height, width, 3), (90, 110, 130), dtype=np.uint8)


def _frame(image: NDArray[np.uint8], at_s: float = 0.0) -> FrameWindow:
    return FrameWindow(session_id="s", at_s=at_s, image=image)


def _face_details(judgement: Judgement) -> FaceDetails:
    assert isinstance(judgement.details, FaceDetails)
    return judgement.details


def test_a_drawn_face_is_found_where_it_was_drawn() -> None:
    model = FaceModel(FaceSettings().weights)
    ((face,),) = model.detect([draw_face(_blank(), (180, 150), 90)])
    assert face.points[0] == pytest.approx([180 - 0.32 * 90, 150 - 0.15 * 90], abs=9)
    assert face.points[1] == pytest.approx([180 + 0.32 * 90, 150 - 0.15 * 90], abs=9)
    assert 0.9 < face.confidence <= 1
    assert face.size_px == pytest.approx(140, abs=25)
    assert abs(face.pose.tilt_deg) < 6


def test_a_drawn_smile_is_scored_with_its_box(scorer: FaceScorer) -> None:
    (judgement,) = scorer.score([_frame(draw_face(_blank(), (240, 180), 90))])
    details = _face_details(judgement)
    assert judgement.status is Status.SCORED
    assert judgement.mood is not None
    assert judgement.distribution is not None
    assert judgement.confidence == pytest.approx(max(judgement.distribution.values()))
    assert 0 < judgement.quality <= 1
    assert details.faces[0].main
    assert details.faces[0].x < 0.5 < details.faces[0].x + details.faces[0].width


def test_the_larger_of_two_faces_is_the_subject_and_both_are_reported(scorer: FaceScorer) -> None:
    image = draw_face(draw_face(_blank(480, 640), (150, 200), 70), (430, 240), 120)
    (judgement,) = scorer.score([_frame(image)])
    boxes = _face_details(judgement).faces
    assert [box.main for box in boxes] == [True, False]
    assert boxes[0].x > 0.4 > boxes[1].x


def test_the_subject_of_a_session_is_kept_within_a_batch_however_its_frames_are_ordered(scorer: FaceScorer) -> None:
    def frame(at_s: float, left: int, right: int) -> FrameWindow:
        image = draw_face(draw_face(_blank(480, 640), (170, 240), left), (470, 240), right)
        return _frame(image, at_s)

    def main_is_left(judgement: Judgement) -> bool:
        return _face_details(judgement).faces[0].x < 0.4

    first, second = frame(0.0, 105, 85), frame(0.2, 92, 100)
    (alone,) = scorer.score([second])
    assert not main_is_left(alone)
    assert [main_is_left(judgement) for judgement in scorer.score([second, first])] == [True, True]
    other = FrameWindow(session_id="other", at_s=0.1, image=second.image)
    assert [main_is_left(judgement) for judgement in scorer.score([first, other, second])] == [True, False, True]


def test_a_small_face_is_found_by_the_full_range_model_and_counts_less(scorer: FaceScorer) -> None:
    small, large = (draw_face(_blank(480, 640), (320, 240), radius) for radius in (24, 120))
    far, near = scorer.score([_frame(small), _frame(large, at_s=1.0)])
    assert (_face_details(far).face_px or 0) < 40
    assert far.quality < near.quality / 2


def test_an_empty_frame_abstains_and_says_why(scorer: FaceScorer) -> None:
    (judgement,) = scorer.score([_frame(_blank())])
    assert (judgement.status, judgement.reason) == (Status.ABSTAINED, "no_face")
    assert _face_details(judgement).faces == ()


def test_no_frames_give_no_judgements(scorer: FaceScorer) -> None:
    assert scorer.score([]) == []
    assert scorer.score_crops([]) == []


def test_a_crop_without_any_contrast_is_unclear(scorer: FaceScorer) -> None:
    (judgement,) = scorer.score_crops([np.full((48, 48), 90, dtype=np.uint8)])
    assert (judgement.status, judgement.reason) == (Status.ABSTAINED, "unclear_face")


def test_a_batch_gives_what_one_by_one_gives(scorer: FaceScorer) -> None:
    frames = [
        _frame(draw_face(_blank(), (150 + 20 * index, 170), 60 + 10 * index), at_s=index / 5) for index in range(5)
    ]
    frames.insert(2, _frame(_blank(), at_s=0.3))
    together = scorer.score(frames)
    for judgement, frame in zip(together, frames, strict=True):
        (alone,) = scorer.score([frame])
        assert (alone.status, alone.reason, alone.details) == (judgement.status, judgement.reason, judgement.details)
        if alone.mood is not None:
            assert alone.mood == pytest.approx(judgement.mood, abs=1e-3)


def test_predictions_are_distributions_over_a_batch_of_any_size() -> None:
    model = FaceModel(FaceSettings().weights)
    crops = np.random.default_rng(0).integers(0, 256, (7, 48, 48), dtype=np.uint8)
    read = model.predict(crops)
    assert read.distributions.shape == (7, len(EMOTIONS))
    assert read.distributions.sum(axis=1) == pytest.approx(np.ones(7))
    assert read.distributions[3] == pytest.approx(model.predict(crops[3:4]).distributions[0], abs=1e-4)
    assert ((read.unclear >= 0) & (read.unclear <= 1)).all()


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(FaceSettings().weights, folder)
    with (folder / "expression.tflite").open("r+b") as file:
        file.seek(1000)
        file.write(b"altered")
    with pytest.raises(WeightsError, match=r"expression\.tflite"):
        FaceModel(folder)


@pytest.mark.skipif(not (DATA / "av").is_dir(), reason="needs the shared photographs in ../shared/data/av")
def test_a_photographed_smile_is_joy(scorer: FaceScorer) -> None:
    image = decode_jpeg((DATA / "av" / "single_face.jpg").read_bytes())
    (judgement,) = scorer.score([_frame(image)])
    assert judgement.distribution is not None
    assert judgement.distribution[Emotion.JOY] > 0.8
    assert judgement.mood is not None
    assert judgement.mood > 4
    assert len(_face_details(judgement).faces) == 1


@pytest.mark.skipif(not (DATA / "av").is_dir(), reason="needs the shared photographs in ../shared/data/av")
def test_an_aligned_crop_is_read_as_its_photograph(scorer: FaceScorer) -> None:
    image = decode_jpeg((DATA / "av" / "single_face.jpg").read_bytes())
    ((face,),) = FaceModel(FaceSettings().weights).detect([image])
    (from_crop,), (from_image,) = scorer.score_crops([crop_face(image, face.pose)]), scorer.score([_frame(image)])
    assert from_crop.mood == pytest.approx(from_image.mood, abs=1e-3)


@pytest.mark.skipif(not (DATA / "av").is_dir(), reason="needs the shared clips in ../shared/data/av")
def test_talking_heads_are_found_and_empty_rooms_are_not(scorer: FaceScorer) -> None:
    found = {clip: _share_with_faces(scorer, DATA / "av" / clip) for clip in TALKING}
    assert min(found.values()) >= 0.98, found
    assert _share_with_faces(scorer, DATA / "av" / "no_face.mp4") == 0
    assert 0.2 < _share_with_faces(scorer, DATA / "av" / "noface_face.mov") < 0.6


def _share_with_faces(scorer: FaceScorer, clip: Path) -> float:
    frames = [item for item in FileSource(clip, fps=10, audio=False) if isinstance(item, VideoFrame)]
    judgements = scorer.score([_frame(frame.image, frame.at_s) for frame in frames])
    return sum(bool(_face_details(judgement).faces) for judgement in judgements) / len(judgements)


@pytest.mark.skipif(not (DATA / FERPLUS).is_file(), reason="needs the shared FER+ images in ../shared/data/face")
def test_the_served_model_beats_its_peer_on_the_panel() -> None:
    measured = evaluate(DATA, every=3)
    assert measured["majority_accuracy"] > 0.8
    assert measured["mood_mae"] < 0.31
    assert measured["ece"] < 0.03
    assert measured["quality_mouth_covered"] < 0.7 * measured["quality_unchanged"]
    assert measured["confidence_mouth_covered"] < measured["confidence_unchanged"] - 0.1
    assert measured["sure_and_wrong_mouth_covered"] < measured["sure_and_wrong_unchanged"]
    assert measured["quality_face_32_px"] < 0.4 * measured["quality_unchanged"]
