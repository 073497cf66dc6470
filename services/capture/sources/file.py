"""A media file as a source, read as a stream by PyAV: memory does not grow with its length."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
from av.container import InputContainer

from services.capture.sources.clock import StreamClock
from services.capture.sources.container import (
    media_duration_s,
    open_media,
    origin_s,
    picture_stream,
    sound_stream,
    stated_length_s,
)
from services.capture.sources.interleave import Interleaver
from services.capture.sources.picture import PictureTrack
from services.capture.sources.port import AudioBlock, VideoFrame
from services.capture.sources.sound import SoundTrack
from shared.errors import BadInputError

DEFAULT_FPS: Final = 5.0

_MAX_READ_ERRORS: Final = 100
_DEFAULT_FRAME_S: Final = 1 / 25
_LOST_SOUND_S: Final = 0.25
_LOST_END_S: Final = 1.0


class FileSource:
    """Reads sound and pictures of one file; each iteration starts again from its beginning.

    Args:
        media: The path of a file, or a whole file in memory:
            mp4, mov, mkv, webm, avi, mpg, wav, flac, mp3, ogg, m4a, jpg, png and whatever is like them.
        fps: Frames a second to give, at most.
        realtime: Give each item when its time has come, as a camera would, instead of as fast as it is taken.
        audio: Read sound; without it, sound is not even decoded.
        video: Read pictures; without it, pictures are not even decoded.

    Raises:
        BadInputError: If it cannot be opened or holds nothing of what is to be read.
    """

    def __init__(
        self,
        media: str | Path | bytes,
        fps: float = DEFAULT_FPS,
        *,
        realtime: bool = False,
        audio: bool = True,
        video: bool = True,
    ) -> None:
        if not fps > 0:
            raise BadInputError(f"The frame rate is {fps}; give one above 0, for example {DEFAULT_FPS:g}.")
        self._media = media if isinstance(media, bytes) else Path(media)
        self._name = "The recording" if isinstance(media, bytes) else str(media)
        self._fps = fps
        self._realtime = realtime
        with open_media(self._media) as container:
            self._has_audio = audio and sound_stream(container) is not None
            self._has_video = video and picture_stream(container) is not None
            self._duration_s = media_duration_s(container)
        if not self._has_audio and not self._has_video:
            wanted = " or ".join(name for name, wish in (("sound", audio), ("pictures", video)) if wish)
            raise BadInputError(f"{self._name} holds no {wanted or 'sound or pictures'} that can be read.")
        self._damaged = False

    @property
    def duration_s(self) -> float | None:
        """Length in seconds as the file states it, or None."""
        return self._duration_s

    @property
    def has_audio(self) -> bool:
        """Whether it gives sound."""
        return self._has_audio

    @property
    def has_video(self) -> bool:
        """Whether it gives frames."""
        return self._has_video

    @property
    def problem(self) -> str | None:
        """Nothing that would go by again."""
        return None

    @property
    def damaged(self) -> bool:
        """Whether some of the file could not be read, as far as the last iteration has come."""
        return self._damaged

    def __iter__(self) -> Iterator[AudioBlock | VideoFrame]:
        """Read the file from its start, in presentation order.

        Raises:
            BadInputError: If it has become unreadable, or nothing in it can be decoded.
        """
        self._damaged = False
        started = time.monotonic()
        empty = True
        with open_media(self._media) as container:
            for item in self._read(container):
                empty = False
                if self._realtime:
                    time.sleep(max(0.0, started + item.end_s - time.monotonic()))
                yield item
        if empty and self._damaged:
            raise BadInputError(f"{self._name} is damaged: nothing in it can be decoded; give another copy.")

    def _read(self, container: InputContainer) -> Iterator[AudioBlock | VideoFrame]:
        sound = sound_stream(container) if self._has_audio else None
        picture = picture_stream(container) if self._has_video else None
        streams = [stream for stream in (sound, picture) if stream is not None]
        origin = origin_s(streams)
        clocks = StreamClock(origin, self._duration_s), StreamClock(origin, self._duration_s)
        sounds = SoundTrack(clocks[0])
        pictures = self._picture_track(picture, clocks[1]) if picture is not None else None
        kinds = {kind for kind, stream in ((AudioBlock, sound), (VideoFrame, picture)) if stream is not None}
        interleaver = Interleaver(kinds)
        for frame in self._decode(container, streams):
            for item in _convert(frame, sounds, pictures):
                yield from interleaver.push(item)
        for block in sounds.flush():
            yield from interleaver.push(block)
        yield from interleaver.flush()
        self._damaged |= sounds.missing_s > _LOST_SOUND_S
        stated_s, reached_s = stated_length_s(container, streams), max(clock.reached_s for clock in clocks)
        self._damaged |= stated_s is not None and stated_s - reached_s > _LOST_END_S

    def _picture_track(self, stream: av.VideoStream, clock: StreamClock) -> PictureTrack:
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate
        frame_s = float(1 / rate) if rate else _DEFAULT_FRAME_S
        aspect = float(stream.sample_aspect_ratio or 1)
        return PictureTrack(clock, self._fps, frame_s, aspect)

    def _decode(
        self, container: InputContainer, streams: list[av.AudioStream | av.VideoStream]
    ) -> Iterator[av.AudioFrame | av.VideoFrame]:
        """Give every frame that can be decoded and note whether one could not."""
        for packet in self._packets(container, streams):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self._damaged = True
                continue
            for frame in frames:
                if isinstance(frame, av.AudioFrame | av.VideoFrame):
                    self._damaged |= frame.is_corrupt
                    yield frame

    def _packets(
        self, container: InputContainer, streams: list[av.AudioStream | av.VideoStream]
    ) -> Iterator["av.Packet[Any]"]:
        """Give every packet; after an error reading goes on where it stopped, up to a bound."""
        for _ in range(_MAX_READ_ERRORS):
            try:
                yield from container.demux(*streams)
            except av.FFmpegError:
                self._damaged = True
            else:
                return


def _convert(
    frame: av.AudioFrame | av.VideoFrame, sounds: SoundTrack, pictures: PictureTrack | None
) -> Iterator[AudioBlock | VideoFrame]:
    if isinstance(frame, av.AudioFrame):
        yield from sounds.add(frame)
    elif pictures is not None and (image := pictures.add(frame)) is not None:
        yield image
