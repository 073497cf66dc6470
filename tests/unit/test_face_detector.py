"""What is found in the square that the detector looks at lies where it is in the picture, whatever its shape."""

from itertools import product

import numpy as np
import pytest

from services.face.anchors import Detections
from services.face.detector import letterbox, undo_letterbox

SIDES = (1, 2, 3, 7, 64, 99, 127, 240, 267, 359, 426, 427, 480, 640)


def _at(left: float, top: float, right: float, bottom: float) -> Detections:
    box = np.array([[left, top, right, bottom]], dtype=np.float32)
    return Detections(box, np.tile(box[:, None, :2], (1, 6, 1)), np.ones(1, dtype=np.float32))


@pytest.mark.parametrize("side", [128, 192])
def test_the_picture_in_the_square_is_all_of_the_picture(side: int) -> None:
    for width, height in product(SIDES, SIDES):
        square, placed = letterbox(np.full((height, width, 3), 255, dtype=np.uint8), side)
        rows, columns = np.flatnonzero(square.max(axis=(1, 2)) > -1), np.flatnonzero(square.max(axis=(0, 2)) > -1)
        seen = _at(columns[0] / side, rows[0] / side, (columns[-1] + 1) / side, (rows[-1] + 1) / side)
        found = undo_letterbox(seen, placed)
        np.testing.assert_allclose(found.boxes, [[0, 0, 1, 1]], atol=1e-5, err_msg=f"{width} x {height}")
        np.testing.assert_allclose(found.points, np.zeros((1, 6, 2)), atol=1e-5, err_msg=f"{width} x {height}")


@pytest.mark.parametrize("side", [128, 192])
def test_a_mark_is_found_where_it_is(side: int) -> None:
    for width, height in product((267, 426, 427, 480, 640), repeat=2):
        picture = np.zeros((height, width, 3), dtype=np.uint8)
        left, top, right, bottom = round(0.8 * width), round(0.8 * height), round(0.95 * width), round(0.95 * height)
        picture[top:bottom, left:right] = 255
        square, placed = letterbox(picture, side)
        light = square[..., 0] + 1
        middles = (np.arange(side) + 0.5) / side
        x, y = middles @ light.sum(axis=0) / light.sum(), middles @ light.sum(axis=1) / light.sum()
        found = undo_letterbox(_at(x, y, x, y), placed).points[0, 0] * (width, height)
        np.testing.assert_allclose(found, [(left + right) / 2, (top + bottom) / 2], atol=0.6)
