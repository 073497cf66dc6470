"""Sound and pictures as they happen, from whatever gives them on threads of its own."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from services.capture.sources.mailbox import Mailbox
from services.capture.sources.port import AudioBlock, Tick, VideoFrame


class Device(Protocol):
    """Fills a mailbox on threads of its own."""

    @property
    def problem(self) -> str | None:
        """A sentence where it gives nothing now, or None."""

    @property
    def over(self) -> bool:
        """Whether nothing will ever come any more."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End; may be called once."""


class LiveDevices:
    """A source made of devices, on the machine's monotonic clock.

    Args:
        devices: Each opens one device, given the mailbox that it is to fill.
        has_audio: Whether one of them gives sound.
        has_video: Whether one of them gives pictures.
    """

    def __init__(self, devices: Sequence[Callable[[Mailbox], Device]], *, has_audio: bool, has_video: bool) -> None:
        self._openers = devices
        self._has_audio = has_audio
        self._has_video = has_video
        self._devices: list[Device] = []

    @property
    def duration_s(self) -> float | None:
        """Nobody knows how long it will be."""
        return None

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
        """A sentence for each device that gives nothing now, or None."""
        return " ".join(device.problem for device in self._devices if device.problem) or None

    def __iter__(self) -> Iterator[AudioBlock | VideoFrame | Tick]:
        """Open the devices and give what they give; they are closed when whoever reads stops."""
        mailbox = Mailbox()
        devices = self._devices = [opener(mailbox) for opener in self._openers]
        for device in devices:
            device.start()
        try:
            yield from mailbox.items(lambda: all(device.over for device in devices))
        finally:
            for device in devices:
                device.close()
