"""The speech corpora and a cache of what the encoder and the pitch tracker make of them."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from tqdm import tqdm

from services.audio.features import PROSODY_WIDTH, pool, prosody
from services.audio.model import encode_utterances
from shared.emotions import EMOTIONS, Emotion
from shared.errors import BadInputError
from shared.runtime.whisper import load_whisper

DEFAULT_DATA: Final = Path("../shared/data")
DEFAULT_CACHE: Final = Path(gettempdir()) / "mien-audio-cache"
ENCODER_WIDTH: Final = 384

_BLOCK: Final = 256
_FEATURES_VERSION: Final = "1"
_STRENGTH: Final = {"normal": 0.0, "strong": 1.0}
_EMOTIONS: Final[dict[str, Emotion]] = {
    "anger": Emotion.ANGER,
    "angry": Emotion.ANGER,
    "calm": Emotion.NEUTRAL,
    "disgust": Emotion.DISGUST,
    "fear": Emotion.FEAR,
    "fearful": Emotion.FEAR,
    "happiness": Emotion.JOY,
    "happy": Emotion.JOY,
    "neutral": Emotion.NEUTRAL,
    "sad": Emotion.SADNESS,
    "sadness": Emotion.SADNESS,
    "surprise": Emotion.SURPRISE,
    "surprised": Emotion.SURPRISE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Labelled clips, one a row.

    Attributes:
        corpora: str array of shape (n,).
        speakers: str array of shape (n,).
        genders: str array of shape (n,), F or M.
        sentences: str array of shape (n,): what is said, named apart in each corpus.
        emotions: int array of shape (n,), places in ``EMOTIONS``.
        strong: float32 array of shape (n,): 1 where acted strongly, 0 where normally, NaN where not labelled.
        encoder: float32 array of shape (n, ENCODER_WIDTH): pooled encoder frames.
        prosody: float32 array of shape (n, PROSODY_WIDTH).
    """

    corpora: NDArray[np.str_]
    speakers: NDArray[np.str_]
    genders: NDArray[np.str_]
    sentences: NDArray[np.str_]
    emotions: NDArray[np.int64]
    strong: NDArray[np.float32]
    encoder: NDArray[np.float32]
    prosody: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.corpora)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Clips":
        """Return the chosen rows."""
        return Clips(
            corpora=self.corpora[chosen],
            speakers=self.speakers[chosen],
            genders=self.genders[chosen],
            sentences=self.sentences[chosen],
            emotions=self.emotions[chosen],
            strong=self.strong[chosen],
            encoder=self.encoder[chosen],
            prosody=self.prosody[chosen],
        )


def load_clips(data: Path, cache: Path = DEFAULT_CACHE, exclude: Sequence[str] = ()) -> Clips:
    """Read the corpora's labels and features, and make the features where the cache does not have them yet.

    Boredom (EmoDB) has no place among the seven emotions and is left out; calm (RAVDESS) counts as neutral.

    Args:
        data: The data folder, with ``speech/manifest.tsv``.
        cache: A folder for the features; some 900 MB.
        exclude: Corpora to leave out.

    Raises:
        BadInputError: If there is no such data.
    """
    rows = _rows(data / "speech")
    frames, offsets, shapes = _features(data / "speech", [row["file"] for row in rows], cache)
    encoder = np.stack([_pool(frames[first:last]) for first, last in pairwise(offsets)])
    clips = Clips(
        corpora=np.array([row["corpus"] for row in rows]),
        speakers=np.array([row["speaker"] for row in rows]),
        genders=np.array([row["gender"] for row in rows]),
        sentences=np.array([f"{row['corpus']} {row['sentence']}" for row in rows]),
        emotions=np.array([EMOTIONS.index(_EMOTIONS[row["emotion"]]) for row in rows]),
        strong=np.array([_STRENGTH.get(row["intensity"], np.nan) for row in rows], dtype=np.float32),
        encoder=encoder,
        prosody=shapes,
    )
    return clips.take(~np.isin(clips.corpora, list(exclude)))


def _pool(frames: NDArray[np.float16]) -> NDArray[np.float32]:
    return pool(frames.astype(np.float32))


def _rows(speech: Path) -> list[dict[str, str]]:
    try:
        with (speech / "manifest.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        raise BadInputError(f"There is no {speech / 'manifest.tsv'}; name the data folder with --data.") from None
    return [row for row in rows if row["emotion"] in _EMOTIONS]


def _features(
    speech: Path, files: Sequence[str], cache: Path
) -> tuple[NDArray[np.float16], NDArray[np.int64], NDArray[np.float32]]:
    """Return the encoder's frames of all clips end to end, where each begins, and each one's prosody."""
    key = hashlib.sha256("\n".join([_FEATURES_VERSION, *files]).encode()).hexdigest()[:16]
    frames_path, index_path = cache / f"{key}.f16", cache / f"{key}.npz"
    if not index_path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _extract(speech, files, frames_path, index_path)
    with np.load(index_path) as index:
        offsets, shapes = index["offsets"], index["prosody"]
    frames = np.memmap(frames_path, dtype=np.float16, mode="r").reshape(-1, ENCODER_WIDTH)
    return frames, offsets, shapes


def _extract(speech: Path, files: Sequence[str], frames_path: Path, index_path: Path) -> None:
    whisper = load_whisper()
    lengths: list[int] = []
    shapes: list[NDArray[np.float32]] = []
    with frames_path.open("wb") as out, tqdm(total=len(files), unit="clip", desc="features") as progress:
        for first in range(0, len(files), _BLOCK):
            waves = [soundfile.read(speech / name, dtype="float32")[0] for name in files[first : first + _BLOCK]]
            for frames in encode_utterances(whisper, waves):
                out.write(frames.astype(np.float16).tobytes())
                lengths.append(len(frames))
            shapes.extend(prosody(wave).shape for wave in waves)
            progress.update(len(waves))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    np.savez(index_path, offsets=offsets, prosody=np.stack(shapes).astype(np.float32).reshape(-1, PROSODY_WIDTH))
