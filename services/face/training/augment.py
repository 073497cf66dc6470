"""What a webcam does to a face: moved, turned, blurred, noisy, compressed, dark or half covered."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Batch = tuple[Floats, Floats, Floats]
"""Faces of shape (n, 48, 48, 1), 0..255; each answer's share, (n, 8); weights, (n,)."""

SIZE: Final = 48

_STRENGTH: Final = (0.3, 0.7)
_MAX_ROTATION_DEG: Final = 20.0
_MAX_SHIFT_PX: Final = 4.0
_MAX_SCALING: Final = 0.15
_GAIN: Final = (0.5, 1.4)
_GAMMA: Final = (0.6, 1.7)
_NOISE_SD: Final = 10.0
_JPEG_QUALITY: Final = (20, 80)
_COVER_SHARE: Final = (0.15, 0.45)
_MOUTH: Final = (24.0, 37.7)
"""Where the mouth lies in a crop, x and y in pixels; services/face/features.py places it there."""


def strength_of(epoch: int, epochs: int) -> float:
    """Return how strongly an epoch, counted from 0, of so many augments, 0..1: tamely at first, more and more later."""
    first, last = _STRENGTH
    return first + (last - first) * epoch / epochs


def augment(image: NDArray[np.uint8], rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.uint8]:
    """Return the face as another camera might have seen it.

    Args:
        image: uint8 array of shape (48, 48).
        rng: Where the chance comes from.
        strength: 0..1, how far it is moved and how often it is changed otherwise.

    Returns:
        uint8 array of shape (48, 48).
    """
    image = move(image, rng, strength)
    if rng.random() < 0.5 * strength:
        image = relight(image, rng)
    if rng.random() < 0.3 * strength:
        image = (blur if rng.random() < 0.5 else pixelate)(image, rng)
    if rng.random() < 0.25 * strength:
        image = (add_noise if rng.random() < 0.5 else compress)(image, rng)
    if rng.random() < 0.3 * strength:
        image = cover(image, rng)
    return image


def move(image: NDArray[np.uint8], rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.uint8]:
    """Mirror, rotate, scale and shift."""
    angle = strength * float(np.clip(rng.normal(0, _MAX_ROTATION_DEG / 2), -_MAX_ROTATION_DEG, _MAX_ROTATION_DEG))
    middle, scale = ((SIZE - 1) / 2, (SIZE - 1) / 2), 1 + strength * rng.uniform(-_MAX_SCALING, _MAX_SCALING)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle, scale), dtype=np.float64)
    matrix[:, 2] += strength * rng.uniform(-_MAX_SHIFT_PX, _MAX_SHIFT_PX, 2)
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
    moved = cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.uint8)


def relight(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change gain and gamma, and let one side lie in the shade."""
    light = np.linspace(rng.uniform(0.4, 1.0), 1.0, SIZE, dtype=np.float32)
    light = light[:: rng.choice((-1, 1))]
    shade = light[None, :] if rng.random() < 0.7 else light[:, None]
    levels = (np.arange(256, dtype=np.float32) / 255) ** rng.uniform(*_GAMMA) * 255 * rng.uniform(*_GAIN)
    return np.asarray(np.clip(levels[image] * shade, 0, 255), dtype=np.uint8)


def blur(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Put it out of focus."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6)), dtype=np.uint8)


def pixelate(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Take it from farther away: 20 to 40 pixels, enlarged."""
    side = int(rng.integers(20, 41))
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def add_noise(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add the grain of a dim room."""
    noise = rng.normal(0, rng.uniform(2, _NOISE_SD), image.shape)
    return np.asarray(np.clip(image + noise, 0, 255), dtype=np.uint8)


def compress(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pass it through JPEG."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG_QUALITY))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def cover(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cover part of it, as a hand or a cup does (cutout: DeVries and Taylor, 2017)."""
    height, width = (rng.uniform(*_COVER_SHARE, 2) * SIZE).astype(int)
    top, left = int(rng.integers(0, SIZE - height)), int(rng.integers(0, SIZE - width))
    covered = image.copy()
    covered[top : top + height, left : left + width] = rng.integers(0, 256)
    return covered


def cover_mouth(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cover the mouth, as a hand, a scarf or a mask does: with one grey level, or with another part of the image."""
    width, height = (int(side) for side in rng.integers((18, 14), (35, 23)))
    middle = np.array(_MOUTH) + rng.uniform(-2, 2, 2)
    left, top = (int(corner) for corner in np.clip(middle - (width / 2, height / 2), 0, (SIZE - width, SIZE - height)))
    covered = image.copy()
    if rng.random() < 0.5:
        covered[top : top + height, left : left + width] = rng.integers(0, 256)
    else:
        x, y = (int(corner) for corner in rng.integers(0, (SIZE - width + 1, SIZE - height + 1)))
        covered[top : top + height, left : left + width] = image[y : y + height, x : x + width][::-1]
    return covered


def mix(batch: Batch, rng: np.random.Generator, evenness: float) -> Batch:
    """Lay each face over another one of the batch, and so their answers and weights.

    Source: mixup (Zhang et al., 2018, https://arxiv.org/abs/1710.09412).

    Args:
        batch: Faces, shares and weights.
        rng: Where the chance comes from.
        evenness: Both parameters of the beta distribution from which comes how much each face counts.
    """
    part = np.float32(rng.beta(evenness, evenness))
    other = rng.permutation(len(batch[0]))
    faces, shares, weights = (part * each + (1 - part) * each[other] for each in batch)
    return faces, shares, weights
