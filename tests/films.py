"""Films and sounds that are made on the spot with FFmpeg's own encoders."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Final

import av
import numpy as np

LENGTH_S: Final = 1.6
FPS: Final = 25
SIZE: Final = (160, 120)


def pictures(size: tuple[int, int] = SIZE, length_s: float = LENGTH_S) -> list[av.VideoFrame]:
    """Return frames whose left half is red and right half is blue."""
    image = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    image[:, : size[0] // 2, 0] = 230
    image[:, size[0] // 2 :, 2] = 230
    frames = []
    for number in range(round(length_s * FPS)):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        frames.append(frame)
    return frames


def sound(stream: av.AudioStream, length_s: float = LENGTH_S) -> list[av.AudioFrame]:
    """Return a tone in the frames that an encoder wants."""
    rate, context = stream.rate, stream.codec_context
    wave = 0.4 * np.sin(2 * np.pi * 300 * np.arange(round(length_s * rate)) / rate)
    whole = av.AudioFrame.from_ndarray(np.tile(wave, (2, 1)).astype(np.float32), format="fltp", layout="stereo")
    whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
    fifo = av.AudioFifo()
    for frame in av.AudioResampler(context.format, "stereo", rate).resample(whole):
        fifo.write(frame)
    frames = []
    while (frame_or_none := fifo.read(context.frame_size or 1024, partial=True)) is not None:
        frames.append(frame_or_none)
    return frames


def leaping(leap_s: float) -> bytes:
    """Return a tone as an MPEG transport stream whose timestamps leap half-way."""
    stream = BytesIO()
    with av.open(stream, "w", format="mpegts") as container:
        track = container.add_stream("mp2", rate=48_000, layout="stereo")
        assert isinstance(track, av.AudioStream)
        for frame in sound(track):
            if (frame.pts or 0) > LENGTH_S / 2 * 48_000:
                frame.pts = (frame.pts or 0) + round(leap_s * 48_000)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return stream.getvalue()


def write_film(
    path: Path,
    video: str | None,
    audio: str | None,
    *,
    length_s: float = LENGTH_S,
    size: tuple[int, int] = SIZE,
    sound_from_s: float = 0.0,
    sound_length_s: float | None = None,
) -> Path:
    with av.open(str(path), "w") as container:
        quick = {"libx264": {"preset": "ultrafast"}, "libvpx": {"deadline": "realtime", "cpu-used": "8"}}
        image_stream = container.add_stream(video, rate=FPS, options=quick.get(video)) if video else None
        sound_stream = container.add_stream(audio, rate=48_000, layout="stereo") if audio else None
        if image_stream is not None:
            assert isinstance(image_stream, av.VideoStream)
            image_stream.width, image_stream.height = size
            image_stream.pix_fmt = "yuv420p"
            image_stream.codec_context.gop_size = 5
            for image in pictures(size, length_s):
                container.mux(image_stream.encode(image))
            container.mux(image_stream.encode(None))
        if sound_stream is not None:
            assert isinstance(sound_stream, av.AudioStream)
            for frame in sound(sound_stream, length_s if sound_length_s is None else sound_length_s):
                frame.pts = (frame.pts or 0) + round(sound_from_s * 48_000)
                container.mux(sound_stream.encode(frame))
            container.mux(sound_stream.encode(None))
    return path
