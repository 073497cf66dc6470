"""A camera, or a network stream of pictures, through OpenCV; it comes back when it was away."""

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.capture.sources.mailbox import Mailbox
from services.capture.sources.port import VideoFrame
from services.capture.sources.returning import Returning
from shared.messages.frame import MAX_FRAME_SIDE_PX

_PATIENCE_MS: Final = 5_000


class Camera(Returning):
    """Leaves the newest frame in a mailbox, so many times a second, from :meth:`start` to :meth:`close`.

    Args:
        name: What it is called, for sentences.
        find: Gives its index, path or URL as things are now, or raises :class:`~shared.errors.DeviceError`.
        mailbox: Where its frames go.
        frames_per_second: Frames to leave, at most.
    """

    def __init__(self, name: str, find: Callable[[], int | str], mailbox: Mailbox, frames_per_second: float) -> None:
        super().__init__("camera", name)
        self._find = find
        self._mailbox = mailbox
        self._frames_per_second = frames_per_second

    def _attend(self) -> str:
        capture = open_camera(self._find())
        try:
            if not capture.isOpened():
                return f"The camera {self._name!r} cannot be opened: is it there, and does no other program use it?"
            last_slot = -1
            while not self._closing.is_set():
                if not capture.grab():
                    return f"The camera {self._name!r} gives no pictures any more: is it unplugged?"
                at_s = self._mailbox.now_s
                slot = math.floor(at_s * self._frames_per_second)
                if slot > last_slot:
                    last_slot = slot
                    self._leave(at_s, capture)
        finally:
            capture.release()
        return ""

    def _leave(self, at_s: float, capture: cv2.VideoCapture) -> None:
        decoded, image = capture.retrieve()
        if decoded:
            self._clear_problem()
            self._mailbox.see(VideoFrame(at_s, to_frame(np.asarray(image, dtype=np.uint8))))


def open_camera(address: int | str) -> cv2.VideoCapture:
    """Open a camera by its index or path, or a network stream by its URL; ``isOpened`` says whether that went well."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what goes wrong is said in our own words
    if isinstance(address, str) and "://" in address:
        patience = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE_MS]
        # Each further thread of FFmpeg's would hold back a picture.
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, [*patience, cv2.CAP_PROP_N_THREADS, 1])
    capture = cv2.VideoCapture(address)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def to_frame(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert what OpenCV gives.

    Args:
        image: BGR, uint8 array of shape (height, width, 3).

    Returns:
        RGB, uint8 array of shape (height, width, 3), longest side at most 640 px; never enlarged.
    """
    scale = MAX_FRAME_SIDE_PX / max(image.shape[:2])
    if scale < 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
