"""Speech as 16 kHz mono FLAC."""

import io
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from shared.errors import UndecodableMessageError
from shared.messages.message import Message
from shared.messages.speech import MAX_SPEECH_SECONDS, SAMPLE_RATE_HZ, SpeechChunk
from shared.scoring import SpeechWindow

_MAX_SAMPLES: Final = round(MAX_SPEECH_SECONDS * SAMPLE_RATE_HZ)


def encode_flac(samples: NDArray[np.float32]) -> bytes:
    """Encode speech as 16-bit FLAC.

    Args:
        samples: float32 array of shape (n,), -1..1, 16 kHz.
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1.0, 1.0), SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def decode_flac(data: bytes) -> NDArray[np.float32]:
    """Decode speech as :func:`encode_flac` makes it; the header need not state its length.

    Returns:
        float32 array of shape (n,), -1..1, 16 kHz.

    Raises:
        UndecodableMessageError: If it is not FLAC, not 16 kHz mono, empty, cut off, or longer than a chunk may be.
    """
    try:
        with _ReadOnce(io.BytesIO(data)) as file:
            _check_header(file)
            stated: int = file.frames
            samples: NDArray[np.float32] = file.read(min(stated, _MAX_SAMPLES + 1), dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise UndecodableMessageError(f"the speech does not decode as FLAC: {error}") from None
    if samples.size == 0:
        raise UndecodableMessageError("the speech holds no sample")
    if samples.size < stated <= _MAX_SAMPLES:
        raise UndecodableMessageError("the speech breaks off before the length that its header states")
    if samples.size > _MAX_SAMPLES:
        raise UndecodableMessageError(f"a speech chunk lasts at most {MAX_SPEECH_SECONDS:.0f} s")
    return samples


def read_speech(message: Message) -> tuple[SpeechChunk, SpeechWindow]:
    """Check a speech chunk and decode it.

    Raises:
        UndecodableMessageError: If it is not a speech chunk, or as :func:`decode_flac` does.
    """
    chunk = SpeechChunk.from_message(message)
    return chunk, SpeechWindow(session_id=chunk.session_id, start_s=chunk.start_s, samples=decode_flac(chunk.media))


class _ReadOnce(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """FLAC as a stream: its header need not state a length (RFC 9639, section 8.2), and then it cannot be sought in."""

    def seekable(self) -> bool:
        return False


def _check_header(file: soundfile.SoundFile) -> None:
    if file.format != "FLAC" or file.samplerate != SAMPLE_RATE_HZ or file.channels != 1:
        raise UndecodableMessageError(
            f"speech must be FLAC, {SAMPLE_RATE_HZ} Hz, mono; "
            f"got {file.format}, {file.samplerate} Hz, {file.channels} channels"
        )
