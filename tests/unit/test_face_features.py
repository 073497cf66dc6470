"""Where a face is taken to be, how it is cut out and how well it is said to be seen."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.face.features import (
    CROP_CENTRE,
    CROP_SIDE,
    CROP_SPAN,
    EYES_TO_MOUTH,
    Face,
    as_crop,
    crop_face,
    crop_matrix,
    frontality,
    image_quality,
    main_face,
    pose_of,
    sharpness,
)


def _points(centre: tuple[float, float], span: float, tilt_deg: float = 0.0, nose: float = 0.0) -> NDArray[np.float32]:
    """Key points of an upright face turned in the image plane about its centre; the nose lies off by ``nose`` spans."""
    drop = EYES_TO_MOUTH * span / 2
    upright = np.array([[-span / 2, -drop], [span / 2, -drop], [nose * span, 0], [0, drop], [-span, 0], [span, 0]])
    angle = np.radians(tilt_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(upright @ turn.T + centre, dtype=np.float32)


@pytest.mark.parametrize("tilt", [-35.0, 0.0, 20.0])
def test_pose_is_read_from_the_key_points(tilt: float) -> None:
    pose = pose_of(_points((200.0, 120.0), 40.0, tilt))
    assert pose.centre == pytest.approx((200.0, 120.0), abs=1e-3)
    assert pose.span == pytest.approx(40.0, rel=1e-4)
    assert pose.tilt_deg == pytest.approx(tilt, abs=1e-3)
    assert pose.yaw == pytest.approx(0.0, abs=1e-4)


def test_a_turned_head_keeps_its_size_and_shows_less() -> None:
    points = _points((100.0, 100.0), 40.0, nose=0.2)
    points[:2, 0] = 90.0, 110.0  # the eyes have come together
    pose = pose_of(points)
    assert pose.span == pytest.approx(40.0, rel=1e-3)
    assert pose.yaw == pytest.approx(0.4, abs=1e-3)
    assert 0 < frontality(pose) < frontality(pose_of(_points((100.0, 100.0), 40.0))) == 1


@pytest.mark.parametrize(("span", "tilt"), [(12.0, 0.0), (40.0, 25.0), (130.0, -15.0)])
def test_the_crop_matrix_puts_eyes_and_mouth_where_the_model_learnt_them(span: float, tilt: float) -> None:
    points = _points((300.0, 200.0), span, tilt)
    placed = points @ crop_matrix(pose_of(points))[:, :2].T + crop_matrix(pose_of(points))[:, 2]
    middle = (placed[0] + placed[1]) / 2
    assert placed[1] - placed[0] == pytest.approx([CROP_SPAN, 0], abs=1e-2)
    assert (middle + placed[3]) / 2 == pytest.approx(CROP_CENTRE, abs=1e-2)
    assert placed[3, 1] > middle[1]


@pytest.mark.parametrize(("span", "tilt"), [(16.0, 0.0), (45.0, 18.0), (120.0, -18.0)])
def test_dark_eyes_in_an_image_lie_at_the_same_place_in_its_crop(span: float, tilt: float) -> None:
    points = _points((330.0, 230.0), span, tilt)
    image = np.full((480, 640, 3), 200, dtype=np.uint8)
    for x, y in points[:2]:
        cv2.circle(image, (round(float(x)), round(float(y))), max(2, round(span / 6)), (0, 0, 0), -1)

    crop = crop_face(image, pose_of(points))

    assert crop.shape == (CROP_SIDE, CROP_SIDE)
    darkness = 200.0 - crop
    eye_line = (darkness.sum(axis=1) * np.arange(CROP_SIDE)).sum() / darkness.sum()
    columns = np.arange(CROP_SIDE)
    left, right = (
        (darkness[:, half].sum(axis=0) * columns[half]).sum() / darkness[:, half].sum()
        for half in (slice(0, 24), slice(24, 48))
    )
    assert eye_line == pytest.approx(CROP_CENTRE[1] - EYES_TO_MOUTH * CROP_SPAN / 2, abs=0.8)
    assert (left + right) / 2 == pytest.approx(CROP_CENTRE[0], abs=0.8)
    assert right - left == pytest.approx(CROP_SPAN, abs=0.8)


def test_a_face_at_the_border_is_cut_out_by_repeating_the_edge() -> None:
    image = np.full((100, 100, 3), 90, dtype=np.uint8)
    assert (crop_face(image, pose_of(_points((2.0, 98.0), 30.0))) == 90).all()


def test_blur_lowers_sharpness_and_quality() -> None:
    crop = np.random.default_rng(3).integers(0, 256, (48, 48), dtype=np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(crop, (0, 0), 3), dtype=np.uint8)
    assert sharpness(blurred) < sharpness(crop) / 5
    assert image_quality(blurred, 200.0) < image_quality(crop, 200.0) == 1.0


def test_sharpness_does_not_change_with_contrast() -> None:
    crop = np.random.default_rng(3).integers(0, 201, (48, 48), dtype=np.uint8)
    assert sharpness(crop // 2) == pytest.approx(sharpness(crop), rel=0.05)


def test_small_and_flat_faces_have_less_quality() -> None:
    crop = np.random.default_rng(3).integers(0, 256, (48, 48), dtype=np.uint8)
    assert image_quality(crop, 30.0) < image_quality(crop, 60.0) < image_quality(crop, 120.0)
    assert image_quality(crop // 32, 120.0) < 0.3


def _face(left: float, size: float, width_px: float = 640.0) -> Face:
    points = _points((left * width_px + size / 2, 200.0), size / 2.5)
    share = size / width_px
    return Face(
        box=(left, 0.4, left + share, 0.4 + share), size_px=size, confidence=0.9, pose=pose_of(points), points=points
    )


def test_the_main_face_is_large_central_and_followed() -> None:
    large, small, central = _face(0.1, 200.0), _face(0.45, 60.0), _face(0.42, 100.0)
    aside = _face(0.85, 95.0)
    assert main_face([small, large]) is large
    assert main_face([aside, central]) is central
    assert main_face([aside, central], before=_face(0.86, 95.0)) is aside


def test_an_image_that_is_a_crop_is_brought_to_size_and_grey() -> None:
    grey = np.arange(48 * 48, dtype=np.uint16).reshape(48, 48).astype(np.uint8)
    assert (as_crop(grey) == grey).all()
    assert as_crop(np.full((96, 80, 3), 77, dtype=np.uint8)).tolist() == np.full((48, 48), 77).tolist()
