"""What the played sessions say and show: real utterances and frames, as an agent would have sent them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from services.capture.framing import Framer, FramerConfig
from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock, VideoFrame
from services.capture.vad import SileroVad
from shared.errors import BadInputError
from shared.media.flac import encode_flac
from shared.media.jpeg import encode_jpeg

FRAMES_PER_S: Final = 5.0
_UTTERANCE_FILES: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One utterance.

    Attributes:
        flac: What is sent.
        duration_s: Seconds of sound in it.
    """

    flac: bytes
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What sessions are played from.

    Attributes:
        utterances: Said one after another.
        frames: JPEG, shown one after another.
    """

    utterances: tuple[Utterance, ...]
    frames: tuple[bytes, ...]


def load_material(data: Path) -> Material:
    """Cut the recordings of the data folder as the agent cuts them.

    Raises:
        BadInputError: If the folder lacks ``asr`` or ``av``.
    """
    spoken, seen = sorted((data / "asr").rglob("*.flac"))[:_UTTERANCE_FILES], sorted((data / "av").glob("*.mp[4g]"))
    if not spoken or not seen:
        raise BadInputError(f"There are no recordings in {data}/asr and {data}/av; name the data folder with --data.")
    return Material(
        utterances=tuple(utterance for path in spoken for utterance in _utterances(path)),
        frames=tuple(frame for path in seen for frame in _frames(path)),
    )


def _utterances(path: Path) -> list[Utterance]:
    framer = Framer(SileroVad(), FramerConfig())
    blocks = (item.samples for item in FileSource(path, video=False) if isinstance(item, AudioBlock))
    cut = [*framer.push(np.concatenate(list(blocks))), *framer.flush()]
    return [Utterance(flac=encode_flac(each.samples), duration_s=each.end_s - each.start_s) for each in cut]


def _frames(path: Path) -> list[bytes]:
    source = FileSource(path, audio=False, fps=FRAMES_PER_S)
    return [encode_jpeg(item.image) for item in source if isinstance(item, VideoFrame)]
