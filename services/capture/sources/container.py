"""Open a media file with FFmpeg, and say in one sentence why it cannot be opened."""

import io
import re
from collections.abc import Collection
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition

from shared.errors import BadInputError

av.logging.set_level(None)

_FORMATS: Final = (
    "mov,mp4,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,ivf,asf,flv,gif,"
    "wav,w64,flac,mp3,ogg,aac,aiff,au,caf,amr,image2,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe"
)
"""What is read. FFmpeg would also read playlists, which name other files, and take any text for ANSI art."""

_STREAM_FORMATS: Final = "rtsp,rtp,sdp,hls,mpjpeg,mjpeg,live_flv,ac3,eac3,s16le"
_STREAM_PROTOCOLS: Final = "rtsp,rtsps,rtp,udp,tcp,tls,http,https,httpproxy,crypto,rtmp,rtmps,srt"
"""No ``file``: a playlist from the network may not name files of this machine."""

_STATES_LENGTH: Final = frozenset({"mov", "matroska", "avi", "wav", "flac", "ogg"})
"""Formats whose header states the length, so that a copy that was cut off can be told."""

_LENGTH_TAG: Final = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)", re.ASCII)

_PATIENCE_S: Final = 5.0

_KNOWN: Final = "mp4, mov, mkv, webm, avi, mpg, wav, flac, mp3, ogg, m4a, jpg or png"


def open_media(media: Path | bytes) -> InputContainer:
    """Open a media file, or one that is in memory.

    Raises:
        BadInputError: If there is no such file, or it is not media of a kind that is read.
    """
    return _open_memory(media) if isinstance(media, bytes) else _open_file(media)


def open_stream(url: str, name: str) -> InputContainer:
    """Open a network stream.

    Args:
        url: Where it is.
        name: What it is called in sentences: the URL without its password.

    Raises:
        BadInputError: If it cannot be reached, or is not media of a kind that is read.
    """
    options = {"format_whitelist": f"{_FORMATS},{_STREAM_FORMATS}", "protocol_whitelist": _STREAM_PROTOCOLS}
    try:
        return av.open(url, mode="r", options=options, timeout=(_PATIENCE_S, _PATIENCE_S))
    except (av.FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not media"
        raise BadInputError(f"The stream {name} cannot be read ({why}); check the address and the network.") from None


def _open_memory(media: bytes) -> InputContainer:
    if not media:
        raise BadInputError("The recording is empty; give a media file that holds sound or pictures.")
    try:
        # No protocol at all: what is in memory may not name files of this machine.
        return av.open(
            io.BytesIO(media), mode="r", options={"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
        )
    except (av.FFmpegError, OSError, ValueError):
        raise BadInputError(f"That is not a media file that can be read, or it is cut off; give {_KNOWN}.") from None


def _open_file(path: Path) -> InputContainer:
    _check_file(path)
    try:
        return av.open(str(path.absolute()), options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError):
        raise BadInputError(f"{path} is not a media file that can be read, or it is cut off; give {_KNOWN}.") from None


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise BadInputError(f"{path} is a directory; give one media file.")
        if size == 0 and path.is_file():
            raise BadInputError(f"{path} is empty; give a media file that holds sound or pictures.")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise BadInputError(f"There is no file {path}; check the name.") from None
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def sound_stream(container: InputContainer) -> av.AudioStream | None:
    """Return the first stream of sound that can be decoded, or None."""
    return next((stream for stream in _readable(container) if isinstance(stream, av.AudioStream)), None)


def picture_stream(container: InputContainer) -> av.VideoStream | None:
    """Return the first stream of pictures that can be decoded and is not cover art, or None."""
    return next((stream for stream in _readable(container) if isinstance(stream, av.VideoStream)), None)


def _readable(container: InputContainer) -> list[av.AudioStream | av.VideoStream]:
    """Return every stream of sound or pictures that can be decoded and is not cover art."""
    streams: list[av.AudioStream | av.VideoStream] = [*container.streams.audio, *container.streams.video]
    return [s for s in streams if s.codec_context is not None and not s.disposition & Disposition.attached_pic]


def media_duration_s(container: InputContainer) -> float | None:
    """Return the length in seconds that a file states or FFmpeg estimates, or None."""
    if container.duration is not None:
        return container.duration / av.time_base
    stated = [float(s.duration * s.time_base) for s in container.streams if s.duration and s.time_base]
    return max(stated, default=None)


def stated_length_s(container: InputContainer, read: Collection[av.AudioStream | av.VideoStream]) -> float | None:
    """Return the length in seconds that a file's header states for the streams that are read, or None.

    Args:
        container: The file.
        read: The streams that are read; what it states of the others says nothing about them.
    """
    kinds = set(container.format.name.split(","))
    if kinds.isdisjoint(_STATES_LENGTH):
        return None
    if all(stream in read for stream in _readable(container)):
        length_s = None if container.duration is None else container.duration / av.time_base
    else:
        length_s = max((own_s for stream in read if (own_s := _own_length_s(stream)) is not None), default=None)
    # A matroska file counts from 0, wherever its first timestamp is.
    return length_s if length_s is None or "matroska" not in kinds else length_s - origin_s(read)


def _own_length_s(stream: av.AudioStream | av.VideoStream) -> float | None:
    """Return the length in seconds that a file states of one stream, matroska in a tag, or None."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    tag = _LENGTH_TAG.fullmatch(stream.metadata.get("DURATION", ""))
    return None if tag is None else int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])


def origin_s(streams: Collection[av.AudioStream | av.VideoStream]) -> float:
    """Return the timestamp, in seconds, at which the earliest of some streams starts."""
    starts = [s.start_time * (s.time_base or Fraction(0)) for s in streams if s.start_time is not None]
    return float(min(starts, default=Fraction(0)))
