"""The sound of a session on its way to utterances: cut wherever it is not recorded, never spliced."""

from typing import Final

import numpy as np

from services.capture.framing import Framer, FramerConfig, Utterance, VoiceActivity
from services.capture.sources.port import AudioBlock
from shared.messages.speech import SAMPLE_RATE_HZ

_LEAST_DBFS: Final = -100.0


class Hearing:
    """Cuts what is heard into utterances; one thread feeds it.

    Args:
        voice_activity: Judges windows of sound.
        config: How to cut.
    """

    def __init__(self, voice_activity: VoiceActivity, config: FramerConfig) -> None:
        self._voice_activity = voice_activity
        self._config = config
        self._framer: Framer | None = None
        self._next_sample = 0
        self._level_dbfs: float | None = None

    @property
    def level_dbfs(self) -> float | None:
        """Root mean square of the newest block in dBFS, at least -100, or None where nothing is heard now."""
        return self._level_dbfs

    @property
    def speaking(self) -> bool:
        """Whether the newest sound is speech."""
        framer = self._framer
        return framer is not None and framer.speaking

    def hear(self, block: AudioBlock) -> list[Utterance]:
        """Take the next block and return the utterances that ended; a gap before it ends what was being said."""
        start = round(block.start_s * SAMPLE_RATE_HZ)
        ended = [] if start == self._next_sample else self.close()
        if self._framer is None:
            self._framer = Framer(self._voice_activity, self._config, start)
        self._next_sample = start + len(block.samples)
        power = float(np.mean(np.square(block.samples))) if len(block.samples) else 0.0
        self._level_dbfs = max(_LEAST_DBFS, 10 * float(np.log10(power))) if power > 0 else _LEAST_DBFS
        return ended + self._framer.push(block.samples)

    def close(self) -> list[Utterance]:
        """End what is being said and return it; the next block begins a new stretch."""
        framer = self._framer
        self.discard()
        return [] if framer is None else framer.flush()

    def discard(self) -> None:
        """Forget what is being said; the next block begins a new stretch."""
        self._framer = None
        self._level_dbfs = None
