"""A network stream as a source, read by PyAV: RTSP, HTTP, RTMP and their like; it connects again when it breaks off."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from services.capture.sources.clock import StreamClock
from services.capture.sources.container import open_stream, picture_stream, sound_stream
from services.capture.sources.devices import LiveDevices
from services.capture.sources.file import DEFAULT_FPS
from services.capture.sources.mailbox import Mailbox
from services.capture.sources.picture import PictureTrack
from services.capture.sources.port import AudioBlock, VideoFrame
from services.capture.sources.returning import Returning
from services.capture.sources.sound import SoundTrack
from shared.errors import BadInputError

_PROTOCOLS: Final = frozenset({"rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "udp", "rtp", "srt", "tcp"})
_FRAME_S: Final = 1 / 25
_LEAP_S: Final = 5.0
"""How far the timestamps of what happens now may run ahead of it; a camera that sets its clock leaps further."""


def is_url(text: str) -> bool:
    """Return whether a text names a network stream of a kind that is read."""
    scheme, mark, _ = text.partition("://")  # of what falls apart too, for it is meant as one
    return bool(mark) and scheme.lower() in _PROTOCOLS


def without_password(url: str) -> str:
    """Return a URL as it may be shown and logged."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


class NetworkSource(LiveDevices):
    """Sound and pictures of a network stream, no faster than they are to be heard and seen.

    A stream that states its length ends there; any other one is connected to again when it breaks off.

    Args:
        url: Where it is.
        fps: Frames to give a second, at most.
        audio: Whether sound is read.
        video: Whether pictures are read.

    Raises:
        BadInputError: If it cannot be reached now, or holds nothing of what is to be read.
    """

    def __init__(self, url: str, fps: float = DEFAULT_FPS, *, audio: bool = True, video: bool = True) -> None:
        if not fps > 0:
            raise BadInputError(f"The frame rate is {fps}; give one above 0, for example {DEFAULT_FPS:g}.")
        name = without_password(url)
        with open_stream(url, name) as container:
            has_audio = audio and sound_stream(container) is not None
            has_video = video and picture_stream(container) is not None
        if not has_audio and not has_video:
            raise BadInputError(f"{name} holds nothing that is to be read; name another stream.")
        super().__init__(
            [lambda mailbox: _Stream(url, mailbox, fps, audio=has_audio, video=has_video)],
            has_audio=has_audio,
            has_video=has_video,
        )


class _Stream(Returning):
    """Reads one stream into a mailbox, on a thread of its own."""

    def __init__(self, url: str, mailbox: Mailbox, fps: float, *, audio: bool, video: bool) -> None:
        super().__init__("stream", without_password(url))
        self._url = url
        self._mailbox = mailbox
        self._fps = fps
        self._audio = audio
        self._video = video

    def _attend(self) -> str:
        try:
            with open_stream(self._url, self._name) as container:
                self._read(container)
                states_end = container.duration is not None
        except av.FFmpegError as error:
            return f"The stream {self._name} has broken off ({error.strerror})."
        return "" if states_end else f"The stream {self._name} has broken off."

    def _read(self, container: InputContainer) -> None:
        """Read what one connection gives; its first frame is now."""
        sound = sound_stream(container) if self._audio else None
        picture = picture_stream(container) if self._video else None
        begun_s = self._mailbox.now_s
        clocks: tuple[StreamClock, ...] = ()
        tracks: tuple[SoundTrack, PictureTrack] | None = None
        for frame in _frames(container, [stream for stream in (sound, picture) if stream is not None]):
            if self._closing.is_set():
                return
            if frame.pts is None and isinstance(frame, av.VideoFrame):  # such a stream shows what is now
                frame.pts, frame.time_base = round((self._mailbox.now_s - begun_s) * 1000), Fraction(1, 1000)
            if tracks is None:
                origin = frame.time or 0.0
                clocks = StreamClock(origin, None), StreamClock(origin, None)
                tracks = SoundTrack(clocks[0]), PictureTrack(clocks[1], self._fps, _FRAME_S, 1.0)
            if container.duration is None:
                for clock in clocks:
                    clock.believe_until(max(clock.reached_s, self._mailbox.now_s - begun_s) + _LEAP_S)
            self._clear_problem()
            self._leave(frame, tracks, begun_s)

    def _leave(
        self, frame: av.AudioFrame | av.VideoFrame, tracks: tuple[SoundTrack, PictureTrack], begun_s: float
    ) -> None:
        sounds, pictures = tracks
        if isinstance(frame, av.AudioFrame):
            for block in sounds.add(frame):
                self._await(begun_s + block.end_s)
                self._mailbox.hear(AudioBlock(begun_s + block.start_s, block.samples))
        elif (image := pictures.add(frame)) is not None:
            self._await(begun_s + image.at_s)
            self._mailbox.see(VideoFrame(begun_s + image.at_s, image.image))

    def _await(self, at_s: float) -> None:
        """Wait until the session has come so far: a file on a server comes faster than it plays."""
        self._closing.wait(max(0.0, at_s - self._mailbox.now_s))


def _frames(
    container: InputContainer, streams: list[av.AudioStream | av.VideoStream]
) -> Iterator[av.AudioFrame | av.VideoFrame]:
    """Give every frame that can be decoded."""
    packets: Iterator[av.Packet[Any]] = container.demux(*streams)
    for packet in packets:
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            if isinstance(frame, av.AudioFrame | av.VideoFrame):
                yield frame
