"""BlazeFace's raw output turned into faces: anchors, decoding and non-maximum suppression.

Source: V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019
(https://arxiv.org/abs/1907.05047), with the anchors that MediaPipe publishes beside the models.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

KEY_POINTS: Final = 6
MIN_CONFIDENCE: Final = 0.7
"""Above the 0.5 of MediaPipe: letters, hands and clouds reach 0.6, a face that can be judged 0.8 and more."""

MIN_OVERLAP: Final = 0.3

_LOGIT_LIMIT: Final = 80.0


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces in one image; every coordinate is a share of the image's width or height, x before y.

    Attributes:
        boxes: float32 array of shape (n, 4): left, top, right, bottom.
        points: float32 array of shape (n, 6, 2): the eye on the image's left, the one on its right, nose tip, mouth,
            and where the ear meets the cheek on the left and on the right.
        confidences: float32 array of shape (n,), 0..1.
    """

    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    confidences: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.confidences)

    def take(self, which: NDArray[np.int_] | NDArray[np.bool_]) -> "Detections":
        """Return the chosen ones, by index or by mask of shape (n,)."""
        return Detections(self.boxes[which], self.points[which], self.confidences[which])


def ssd_anchors(side: int, layers: tuple[tuple[int, int], ...]) -> NDArray[np.float32]:
    """Return the centres of a single-shot detector's anchors, in the order of its output.

    Args:
        side: Width and height of the model's input in pixels.
        layers: (stride in pixels, anchors a cell) of each feature map.

    Returns:
        float32 array of shape (anchors, 2): x and y, 0..1.
    """
    return np.concatenate([_cell_centres(side // stride, repeats) for stride, repeats in layers])


def _cell_centres(cells: int, repeats: int) -> NDArray[np.float32]:
    centres = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0)


def decode(
    regressors: NDArray[np.float32], logits: NDArray[np.float32], anchors: NDArray[np.float32], side: int
) -> Detections:
    """Decode the anchors that are sure enough: of at least :data:`MIN_CONFIDENCE`.

    Args:
        regressors: float32 array of shape (anchors, 16): centre, size and key points, in pixels from the anchor.
        logits: float32 array of shape (anchors,).
        anchors: What :func:`ssd_anchors` gave, shape (anchors, 2).
        side: Width and height of the model's input in pixels.

    Returns:
        One detection for each anchor that is left, best first; the same face still appears several times.
    """
    confidences = 1 / (1 + np.exp(-np.clip(logits, -_LOGIT_LIMIT, _LOGIT_LIMIT)))
    pairs = regressors.reshape(-1, 2 + KEY_POINTS, 2) / side
    kept = np.flatnonzero((confidences >= MIN_CONFIDENCE) & (pairs[:, 1] > 0).all(axis=1))
    kept = kept[np.argsort(-confidences[kept], kind="stable")]
    centres, halves = pairs[kept, 0] + anchors[kept], pairs[kept, 1] / 2
    return Detections(
        boxes=np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32),
        points=(pairs[kept, 2:] + anchors[kept, None]).astype(np.float32),
        confidences=confidences[kept].astype(np.float32),
    )


def suppress(detections: Detections, min_overlap: float = MIN_OVERLAP) -> Detections:
    """Merge the detections of one face: BlazeFace's weighted blend in place of plain non-maximum suppression.

    Args:
        detections: As :func:`decode` gives them, best first.
        min_overlap: Intersection over union from which two boxes are one face.

    Returns:
        One detection a face, best first: the mean of its detections weighted by confidence, with the best confidence.
    """
    boxes, points, best = [], [], []
    left = np.arange(len(detections))
    while left.size:
        same = overlap(detections.boxes[left[0]], detections.boxes[left]) > min_overlap
        same[0] = True
        group = detections.take(left[same])
        weights = group.confidences / group.confidences.sum()
        boxes.append(np.tensordot(weights, group.boxes, axes=1))
        points.append(np.tensordot(weights, group.points, axes=1))
        best.append(group.confidences[0])
        left = left[~same]
    return Detections(
        boxes=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        points=np.array(points, dtype=np.float32).reshape(-1, KEY_POINTS, 2),
        confidences=np.array(best, dtype=np.float32),
    )


def overlap(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of one box, shape (4,), with each of several, shape (n, 4)."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    common = np.clip(sides, 0, None).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - common
    return np.asarray(common / np.maximum(union, 1e-9), dtype=np.float32)
