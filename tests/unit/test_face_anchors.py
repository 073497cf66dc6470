"""BlazeFace's anchors, decoding and suppression, on raw outputs made by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.face.anchors import Detections, decode, overlap, ssd_anchors, suppress

SHORT_LAYERS = ((8, 2), (16, 6))
SIDE = 128


def _raw(
    anchors: NDArray[np.float32], index: int, box: tuple[float, float, float, float], points: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Encode a box (left, top, right, bottom) and key points as the model would at one anchor."""
    left, top, right, bottom = box
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    pairs = np.concatenate([[centre - anchors[index], [right - left, bottom - top]], points - anchors[index]])
    return (pairs * SIDE).astype(np.float32).ravel()


def test_short_range_anchors_are_those_that_mediapipe_publishes() -> None:
    anchors = ssd_anchors(SIDE, SHORT_LAYERS)
    assert anchors.shape == (896, 2)
    assert anchors[0].tolist() == anchors[1].tolist() == [0.03125, 0.03125]
    assert anchors[2].tolist() == [0.09375, 0.03125]  # x runs before y
    assert anchors[512].tolist() == [0.0625, 0.0625]
    assert anchors[-1].tolist() == [0.9375, 0.9375]


def test_full_range_anchors_are_one_a_cell() -> None:
    anchors = ssd_anchors(192, ((4, 1),))
    assert anchors.shape == (2304, 2)
    assert len(np.unique(anchors, axis=0)) == 2304


def test_decode_gives_back_what_was_encoded() -> None:
    anchors = ssd_anchors(SIDE, SHORT_LAYERS)
    points = np.linspace(0.3, 0.6, 12, dtype=np.float32).reshape(6, 2)
    regressors = np.ones((896, 16), dtype=np.float32)
    logits = np.full(896, -10, dtype=np.float32)
    regressors[300], logits[300] = _raw(anchors, 300, (0.2, 0.3, 0.6, 0.8), points), 3.0

    found = decode(regressors, logits, anchors, SIDE)

    assert len(found) == 1
    assert found.boxes[0] == pytest.approx([0.2, 0.3, 0.6, 0.8], abs=1e-6)
    assert found.points[0] == pytest.approx(points, abs=1e-6)
    assert found.confidences[0] == pytest.approx(1 / (1 + np.exp(-3.0)))


def test_decode_orders_by_confidence_and_survives_huge_logits() -> None:
    anchors = ssd_anchors(SIDE, SHORT_LAYERS)
    regressors = np.ones((896, 16), dtype=np.float32)
    logits = np.full(896, -1e6, dtype=np.float32)
    logits[[5, 9, 700]] = 2.0, 1e6, 4.0
    confidences = decode(regressors, logits, anchors, SIDE).confidences
    assert confidences.tolist() == sorted(confidences.tolist(), reverse=True)
    assert confidences[0] == 1.0
    assert len(confidences) == 3


def test_decode_drops_boxes_turned_inside_out() -> None:
    anchors = ssd_anchors(SIDE, SHORT_LAYERS)
    regressors = np.ones((896, 16), dtype=np.float32)
    regressors[5, 2] = -4.0
    logits = np.full(896, -10, dtype=np.float32)
    logits[5] = 5.0
    assert len(decode(regressors, logits, anchors, SIDE)) == 0


def test_overlap_is_intersection_over_union() -> None:
    box = np.array([0, 0, 2, 2], dtype=np.float32)
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [1, 1, 3, 3], [5, 5, 6, 6]], dtype=np.float32)
    assert overlap(box, others) == pytest.approx([1, 1 / 3, 1 / 7, 0])


def test_suppress_blends_one_face_and_keeps_two_apart() -> None:
    found = Detections(
        boxes=np.array([[0.0, 0.0, 0.4, 0.4], [0.6, 0.6, 0.9, 0.9], [0.04, 0.0, 0.44, 0.4]], dtype=np.float32),
        points=np.stack([np.full((6, 2), value, dtype=np.float32) for value in (0.2, 0.75, 0.24)]),
        confidences=np.array([0.9, 0.8, 0.3], dtype=np.float32),
    )

    merged = suppress(found)

    assert merged.confidences == pytest.approx([0.9, 0.8])
    assert merged.boxes[0] == pytest.approx([0.01, 0.0, 0.41, 0.4], abs=1e-6)  # weights 3 : 1
    assert merged.points[0] == pytest.approx(np.full((6, 2), 0.21), abs=1e-6)
    assert merged.boxes[1] == pytest.approx([0.6, 0.6, 0.9, 0.9], abs=1e-6)


def test_suppress_of_nothing_is_nothing() -> None:
    nobody = Detections(np.empty((0, 4), np.float32), np.empty((0, 6, 2), np.float32), np.empty(0, np.float32))
    merged = suppress(nobody)
    assert merged.boxes.shape == (0, 4)
    assert merged.points.shape == (0, 6, 2)
