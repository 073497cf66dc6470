"""The speech corpora and a cache of what the encoder and the pitch tracker make of them."""

import csv
import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from tqdm import tqdm

from services.audio.features import prosody
from services.audio.model import ENCODER_LAYERS, hear
from shared.emotions import EMOTIONS, Emotion
from shared.errors import BadInputError
from shared.runtime.whisper_encoder import load_encoder

Samples = NDArray[np.float32]

DEFAULT_DATA: Final = Path("../shared/data")
DEFAULT_CACHE: Final = Path(gettempdir()) / "mien-audio-cache"
ENCODER_WIDTH: Final = 384

_BLOCK: Final = 256
_FEATURES_VERSION: Final = "3"
_CALM: Final = "calm"
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
class Treatment:
    """Something that is done to recordings before they are heard.

    Attributes:
        name: Names it in the cache.
        apply: Takes samples (float32 array of shape (n,), 16 kHz), what to draw from, and the files of what the same
            speaker says neutrally, and returns samples.
        corpora: Which it is done to; empty for all.
        most: How many clips of a corpus it is done to at most.
    """

    name: str
    apply: Callable[[Samples, np.random.Generator, Sequence[Path]], Samples]
    corpora: tuple[str, ...] = ()
    most: int = sys.maxsize


AS_IS: Final = Treatment(name="as-is", apply=lambda samples, *_: samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Labelled clips, one a row.

    Attributes:
        files: str array of shape (n,): the recordings' names.
        corpora: str array of shape (n,).
        speakers: str array of shape (n,).
        genders: str array of shape (n,), F or M.
        sentences: str array of shape (n,): what is said, named apart in each corpus.
        treatments: str array of shape (n,): the name of what was done to the recording.
        emotions: int array of shape (n,), places in ``EMOTIONS``.
        calm: bool array of shape (n,): acted as calm, which counts as neutral.
        strong: float32 array of shape (n,): 1 where acted strongly, 0 where normally, NaN where not labelled.
        encoder: float32 array of shape (n, ENCODER_WIDTH): pooled encoder frames.
        prosody: float32 array of shape (n, PROSODY_WIDTH).
    """

    files: NDArray[np.str_]
    corpora: NDArray[np.str_]
    speakers: NDArray[np.str_]
    genders: NDArray[np.str_]
    sentences: NDArray[np.str_]
    treatments: NDArray[np.str_]
    emotions: NDArray[np.int64]
    calm: NDArray[np.bool_]
    strong: NDArray[np.float32]
    encoder: NDArray[np.float32]
    prosody: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.corpora)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Clips":
        """Return the chosen rows."""
        return Clips(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def load_clips(
    data: Path, cache: Path = DEFAULT_CACHE, exclude: Sequence[str] = (), treatments: Sequence[Treatment] = (AS_IS,)
) -> Clips:
    """Read the corpora's labels and features, and make the features where the cache does not have them yet.

    Boredom (EmoDB) has no place among the seven emotions and is left out; calm (RAVDESS) counts as neutral.

    Args:
        data: The data folder, with ``speech/manifest.tsv``.
        cache: A folder for the features; some 15 MB for all clips under one treatment.
        exclude: Corpora to leave out.
        treatments: What is done to the clips; each treatment gives rows of its own.

    Raises:
        BadInputError: If there is no such data.
    """
    corpora = groupby(sorted(_rows(data / "speech"), key=itemgetter("corpus")), key=itemgetter("corpus"))
    read = {corpus: list(rows) for corpus, rows in corpora if corpus not in exclude}
    parts = [
        _treated(data / "speech", rows, cache, treatment)
        for treatment in treatments
        for corpus, rows in read.items()
        if corpus in treatment.corpora or not treatment.corpora
    ]
    names = [field.name for field in fields(Clips)]
    return Clips(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _some(rows: Sequence[dict[str, str]], most: int) -> list[dict[str, str]]:
    chosen = np.random.default_rng(0).permutation(len(rows))[:most]
    return [rows[place] for place in np.sort(chosen)]


def _treated(speech: Path, recorded: Sequence[dict[str, str]], cache: Path, treatment: Treatment) -> Clips:
    """Return the clips of one corpus under a treatment."""
    rows = _some(recorded, treatment.most)
    neutral: dict[str, list[Path]] = defaultdict(list)
    for row in recorded:
        if _EMOTIONS[row["emotion"]] is Emotion.NEUTRAL:
            neutral[row["speaker"]].append(speech / row["file"])
    neutral_by_file = {row["file"]: neutral[row["speaker"]] for row in rows}
    encoder, shapes = _features(speech, neutral_by_file, cache / rows[0]["corpus"], treatment)
    return Clips(
        files=np.array([row["file"] for row in rows]),
        corpora=np.array([row["corpus"] for row in rows]),
        speakers=np.array([row["speaker"] for row in rows]),
        genders=np.array([row["gender"] for row in rows]),
        sentences=np.array([f"{row['corpus']} {row['sentence']}" for row in rows]),
        treatments=np.array([treatment.name for _ in rows]),
        emotions=np.array([EMOTIONS.index(_EMOTIONS[row["emotion"]]) for row in rows]),
        calm=np.array([row["emotion"] == _CALM for row in rows]),
        strong=np.array([_STRENGTH.get(row["intensity"], np.nan) for row in rows], dtype=np.float32),
        encoder=encoder,
        prosody=shapes,
    )


def _rows(speech: Path) -> list[dict[str, str]]:
    try:
        with (speech / "manifest.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        raise BadInputError(f"There is no {speech / 'manifest.tsv'}; name the data folder with --data.") from None
    return [row for row in rows if row["emotion"] in _EMOTIONS]


def _features(
    speech: Path, neutral_by_file: Mapping[str, Sequence[Path]], cache: Path, treatment: Treatment
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what the encoder hears in files, and their prosody.

    Args:
        speech: The folder that the files are in.
        neutral_by_file: For each file, what its speaker says neutrally.
        cache: Where the features are kept.
        treatment: What is done to the recordings before.
    """
    key = hashlib.sha256("\n".join([_FEATURES_VERSION, *neutral_by_file]).encode()).hexdigest()[:16]
    path = cache / f"{treatment.name}-{key}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        encoder, shapes = _extract(speech, neutral_by_file, treatment)
        np.savez(path, encoder=encoder, prosody=shapes)
    with np.load(path) as stored:
        return stored["encoder"], stored["prosody"]


def _extract(
    speech: Path, neutral_by_file: Mapping[str, Sequence[Path]], treatment: Treatment
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    encoder, files = load_encoder(ENCODER_LAYERS), list(neutral_by_file)
    heard: list[NDArray[np.float32]] = []
    shapes: list[NDArray[np.float32]] = []
    with tqdm(total=len(files), unit="clip", desc="features") as progress:
        for first in range(0, len(files), _BLOCK):
            waves = [
                _recorded(speech / name, treatment, neutral_by_file[name]) for name in files[first : first + _BLOCK]
            ]
            heard.append(hear(encoder, waves))
            shapes.extend(prosody(wave).shape for wave in waves)
            progress.update(len(waves))
    return np.concatenate(heard), np.stack(shapes)


def _recorded(file: Path, treatment: Treatment, neutral: Sequence[Path]) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = soundfile.read(file, dtype="float32")[0]
    seed = int.from_bytes(hashlib.sha256(f"{treatment.name} {file.name}".encode()).digest()[:8])
    return treatment.apply(samples, np.random.default_rng(seed), neutral)
