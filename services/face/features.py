"""Pure geometry and image measures of a face: how it is cut out, and how well it can be seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.face.anchors import overlap

CROP_SIDE: Final = 48

CROP_CENTRE: Final = (24.0, 28.0)
"""Where the midpoint between eyes and mouth lies in a crop, pixels: its median in FER+'s training images."""

CROP_SPAN: Final = 17.9
"""How far apart the eyes lie in a crop, pixels: the median in FER+'s training images."""

EYES_TO_MOUTH: Final = 1.085
"""Distance from between the eyes to the mouth, in distances between the eyes: the median in the same images."""

MAX_YAW: Final = 0.9
"""A face turned farther shows one eye; 98 % of FER+'s training images lie within 0.7."""

_FARTHEST_PX: Final = math.hypot(*CROP_CENTRE)
"""From the face's centre to the farthest corner of its crop, the top left one."""

_OVERSAMPLING: Final = 2
_GOOD_SIZE_PX: Final = 90.0
_GOOD_SHARPNESS: Final = 0.3
_GOOD_CONTRAST: Final = 20.0
_GOOD_YAW: Final = 0.35
_LEFT_EYE, _RIGHT_EYE, _NOSE, _MOUTH = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where a face is and how it is held.

    Attributes:
        centre: Midpoint between eyes and mouth, (x, y) in pixels.
        span: Size of the face as the distance between its eyes would be if it looked at the camera, pixels.
        tilt_deg: Angle of the line through the eyes, degrees; positive where the head leans clockwise in the image.
        yaw: How far the nose lies off the middle of the eyes, in distances between the eyes; 0 faces the camera,
            beyond about 0.7 it is a profile.
    """

    centre: tuple[float, float]
    span: float
    tilt_deg: float
    yaw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face in an image.

    Attributes:
        box: Left, top, right, bottom in shares of the image's width and height, clipped to it.
        size_px: Shorter side of the box in pixels.
        confidence: The detector's, 0..1.
        pose: Where it is, in pixels, and how it is held.
        points: float32 array of shape (6, 2): the detector's key points, x and y in pixels.
    """

    box: tuple[float, float, float, float]
    size_px: float
    confidence: float
    pose: Pose
    points: NDArray[np.float32]


def pose_of(points: NDArray[np.float32]) -> Pose:
    """Read the pose off BlazeFace's key points.

    Args:
        points: float array of shape (6, 2), x and y in pixels, in the order of
            :class:`~services.face.anchors.Detections`.
    """
    axis = points[_RIGHT_EYE] - points[_LEFT_EYE]
    eyes = (points[_LEFT_EYE] + points[_RIGHT_EYE]) / 2
    distance = max(float(np.hypot(*axis)), 1e-3)
    # turning the head brings the eyes together and bowing it brings them to the mouth: the larger one is the size
    span = max(distance, float(np.hypot(*(points[_MOUTH] - eyes))) / EYES_TO_MOUTH)
    centre = (eyes + points[_MOUTH]) / 2
    return Pose(
        centre=(float(centre[0]), float(centre[1])),
        span=span,
        tilt_deg=math.degrees(math.atan2(float(axis[1]), float(axis[0]))),
        yaw=float((points[_NOSE] - eyes) @ axis) / distance**2,
    )


def crop_matrix(pose: Pose) -> NDArray[np.float64]:
    """Return the similarity, float64 of shape (2, 3), that carries a face in an image into its crop, upright."""
    scale, angle = CROP_SPAN / pose.span, math.radians(pose.tilt_deg)
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return np.hstack([turn, (np.array(CROP_CENTRE) - turn @ np.array(pose.centre))[:, None]])


def crop_face(image: NDArray[np.uint8], pose: Pose) -> NDArray[np.uint8]:
    """Cut a face out upright, at the scale and place of the images that the expression model has learnt.

    Args:
        image: RGB, uint8 array of shape (height, width, 3).
        pose: Where the face is.

    Returns:
        Grey, uint8 array of shape (48, 48); what lies outside the image repeats its edge.
    """
    region, corner = _surroundings(image, pose)
    grey = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY)
    # averaging first keeps a large face from being sampled at a few points only; turning it at twice the size and
    # averaging again keeps it as sharp as the images that the model has learnt
    shrink = max(1.0, pose.span / (_OVERSAMPLING * CROP_SPAN))
    size = (max(1, round(grey.shape[1] / shrink)), max(1, round(grey.shape[0] / shrink)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if shrink > 1 else grey
    factors = np.array([grey.shape[1] / small.shape[1], grey.shape[0] / small.shape[0]])
    side = _OVERSAMPLING * CROP_SIDE
    matrix = _between_pixel_grids(crop_matrix(pose), factors, np.array(corner))
    turned = cv2.warpAffine(small, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(turned, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _between_pixel_grids(
    matrix: NDArray[np.float64], factors: NDArray[np.float64], corner: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Restate an image-to-crop matrix from the shrunken region's pixels to the oversampled crop's pixels."""
    restated = matrix.copy()
    # pixel centres: x in the image is (x' + 0.5) * factor - 0.5 + corner
    restated[:, 2] += matrix[:, :2] @ (corner + (factors - 1) / 2)
    restated[:, :2] *= factors
    restated *= _OVERSAMPLING
    restated[:, 2] += (_OVERSAMPLING - 1) / 2
    return restated


def _surroundings(image: NDArray[np.uint8], pose: Pose) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return the part of the image that the crop may need, however tilted, and its top left corner."""
    reach = math.ceil(_FARTHEST_PX * pose.span / CROP_SPAN) + 1
    height, width = image.shape[:2]
    left, right = (int(np.clip(pose.centre[0] + step, 0, width - 1)) for step in (-reach, reach))
    top, bottom = (int(np.clip(pose.centre[1] + step, 0, height - 1)) for step in (-reach, reach))
    return image[top : bottom + 1, left : right + 1], (left, top)


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Return how sharp a crop is: the variance of its Laplacian over the variance of its grey levels.

    The quotient does not change with contrast. Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield
    microscopy", ICPR 2000.

    Args:
        crop: uint8 array of shape (height, width).
    """
    levels = crop.astype(np.float32)
    return float(cv2.Laplacian(levels, cv2.CV_32F).var() / (levels.var() + 1.0))


def contrast(crop: NDArray[np.uint8]) -> float:
    """Return the standard deviation of a crop's grey levels, 0..127.5."""
    return float(crop.std())


def image_quality(crop: NDArray[np.uint8], size_px: float) -> float:
    """Return how well a face can be read from its crop, 0..1: size, sharpness and contrast, each 1 where it suffices.

    Args:
        crop: uint8 array of shape (48, 48).
        size_px: Shorter side of the face in the image that the crop was taken from, pixels.
    """
    size = min(1.0, size_px / _GOOD_SIZE_PX)
    return size * min(1.0, sharpness(crop) / _GOOD_SHARPNESS) * min(1.0, contrast(crop) / _GOOD_CONTRAST)


def frontality(pose: Pose) -> float:
    """Return how much of a face shows, from 1 (it looks at the camera, or nearly so) to 0 (a profile)."""
    return float(np.clip((MAX_YAW - abs(pose.yaw)) / (MAX_YAW - _GOOD_YAW), 0, 1))


def main_face(faces: Sequence[Face], before: Face | None = None) -> Face:
    """Choose the main subject: large, in the middle, and preferably whoever it was before.

    Args:
        faces: The faces of a frame, at least one.
        before: The main subject of the frame before, where that is known.
    """
    return max(faces, key=lambda face: _prominence(face) * (1 + (_same_place(face, before) if before else 0.0)))


def _prominence(face: Face) -> float:
    left, top, right, bottom = face.box
    off_centre = math.hypot((left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5) / math.hypot(0.5, 0.5)
    return face.size_px * (1 - 0.5 * off_centre)


def _same_place(face: Face, before: Face) -> float:
    return float(overlap(np.array(face.box, np.float32), np.array([before.box], np.float32))[0])


def as_crop(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring an image that is a face crop already to a crop's size.

    Args:
        image: uint8 array of shape (height, width), grey, or (height, width, 3), RGB.

    Returns:
        Grey, uint8 array of shape (48, 48).
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if grey.shape == (CROP_SIDE, CROP_SIDE):
        return np.asarray(grey, dtype=np.uint8)
    method = cv2.INTER_AREA if min(grey.shape) > CROP_SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (CROP_SIDE, CROP_SIDE), interpolation=method), dtype=np.uint8)
