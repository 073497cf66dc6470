"""Files that a person names on the command line, read for a scorer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.capture.sources.file import FileSource
from services.capture.sources.port import AudioBlock
from shared.errors import BadInputError
from shared.messages.speech import MAX_SPEECH_SECONDS, SAMPLE_RATE_HZ
from shared.scoring import FrameWindow, SpeechWindow

_MAX_IMAGE_BYTES: Final = 64 * 1024 * 1024


def read_utterance(path: Path) -> SpeechWindow:
    """Read a recording of one utterance.

    Raises:
        BadInputError: If it is not media, has no sound, or lasts longer than an utterance may.
    """
    source = FileSource(path, video=False)
    if not source.has_audio:
        raise BadInputError(f"{path} has no sound; name a recording of speech.")
    blocks: list[NDArray[np.float32]] = []
    length = 0
    for item in source:
        if isinstance(item, AudioBlock):
            blocks.append(item.samples)
            length += item.samples.size
        if length > MAX_SPEECH_SECONDS * SAMPLE_RATE_HZ:
            raise BadInputError(
                f"{path} lasts longer than {MAX_SPEECH_SECONDS:.0f} s; use `mien analyze {path}` for a whole recording."
            )
    samples = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
    return SpeechWindow(session_id=path.name, start_s=0.0, samples=samples)


def read_image(path: Path) -> FrameWindow:
    """Read a picture as RGB.

    Raises:
        BadInputError: If it is not a picture that OpenCV reads.
    """
    return FrameWindow(session_id=path.name, at_s=0.0, image=_pixels(path))


def read_crop(path: Path) -> NDArray[np.uint8]:
    """Read a picture that is a face crop: RGB, uint8 array of shape (height, width, 3).

    Raises:
        BadInputError: If it is not a picture that OpenCV reads.
    """
    return _pixels(path)


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an RGB picture, uint8 array of shape (height, width, 3); the suffix says in which format.

    Raises:
        BadInputError: If OpenCV does not know the suffix, or the file cannot be written.
    """
    try:
        _, data = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        path.write_bytes(data.tobytes())
    except cv2.error:
        raise BadInputError(f"{path} has no suffix of a picture; end its name in .jpg or .png.") from None
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}.") from None


def read_lines(path: Path | None) -> Iterator[str]:
    """Read a text file, or standard input where None is given, line by line.

    Raises:
        BadInputError: If it cannot be read or is not UTF-8 text.
    """
    name = "Standard input" if path is None else str(path)
    try:
        with open(0 if path is None else path, encoding="utf-8", closefd=path is not None) as text:
            for line in text:
                yield line.removesuffix("\n")
    except UnicodeDecodeError:
        raise BadInputError(f"{name} is not UTF-8 text; name a text file or a recording.") from None
    except OSError as error:
        raise BadInputError(f"{name} cannot be read: {error.strerror}.") from None


def _pixels(path: Path) -> NDArray[np.uint8]:
    data = np.frombuffer(_bytes_of_picture(path), dtype=np.uint8)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:  # it claims more pixels than OpenCV takes
        image = None
    if image is None:
        raise BadInputError(f"{path} is not a picture that can be read (jpg, png, bmp, webp or tiff).")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _bytes_of_picture(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise BadInputError(f"{path} is not a file; name a picture (jpg, png, bmp, webp or tiff).")
        if path.stat().st_size > _MAX_IMAGE_BYTES:
            raise BadInputError(f"{path} is larger than {_MAX_IMAGE_BYTES // 2**20} MB; make it smaller first.")
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror}); check its name and who may read it.") from None
