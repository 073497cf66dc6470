"""Sound and pictures as they happen, from whatever gives them on threads of its own."""

from collections.abc import Callable, Iterator, Sequence

from services.capture.sources.live import LiveSource
from services.capture.sources.mailbox import Mailbox
from services.capture.sources.port import AudioBlock, Tick, VideoFrame
from services.capture.sources.returning import Returning


class LiveDevices(LiveSource):
    """A source made of devices, on the machine's monotonic clock.

    Args:
        devices: Each opens one device, given the mailbox that it is to fill.
        has_audio: Whether one of them gives sound.
        has_video: Whether one of them gives pictures.
    """

    def __init__(self, devices: Sequence[Callable[[Mailbox], Returning]], *, has_audio: bool, has_video: bool) -> None:
        super().__init__(has_audio=has_audio, has_video=has_video)
        self._openers = devices
        self._devices: list[Returning] = []

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
