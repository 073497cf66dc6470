"""A microphone through PortAudio, on the session's clock; it comes back when it was away."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Event
from types import ModuleType
from typing import Any, Final

import numpy as np

from services.capture.sources.drift import SampleClock, fit
from services.capture.sources.mailbox import Mailbox
from services.capture.sources.pcm16 import Pcm16
from services.capture.sources.port import AudioBlock
from services.capture.sources.returning import Returning
from shared.errors import DeviceError
from shared.messages.speech import SAMPLE_RATE_HZ

_BLOCK_S: Final = 0.05
_SILENT_S: Final = 3.0
"""Seconds without a block after which a device is taken for gone: not every system says so."""

_LOOK_S: Final = 1.0
_FILLED: Final = round(0.5 * SAMPLE_RATE_HZ)
"""Samples of a gap that are filled with silence, so that a hiccup does not end an utterance; a longer gap stays one."""

MISSING_PORTAUDIO: Final = (
    "The microphone needs the PortAudio library, which is not on this machine: install it (on Debian and Ubuntu: "
    "apt install libportaudio2), or go on without a microphone."
)


def portaudio() -> ModuleType:
    """Return ``sounddevice``, which loads PortAudio when it is imported.

    Raises:
        DeviceError: If the library is not on this machine.
    """
    try:
        return import_module("sounddevice")
    except OSError:
        raise DeviceError(MISSING_PORTAUDIO) from None


def refresh() -> None:
    """Let PortAudio look for devices anew: it does so only when it starts. Not while a stream is open.

    Raises:
        DeviceError: If the library is not on this machine.
    """
    library = portaudio()
    with _quiet():
        library._terminate()  # noqa: SLF001  (sounddevice has no public way)
        library._initialize()  # noqa: SLF001


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep ALSA's and PortAudio's own complaints off the terminal; what goes wrong is said in our own words."""
    usual = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(usual, 2)
        os.close(nowhere)
        os.close(usual)


class Microphone(Returning):
    """Fills a mailbox on threads of its own, from :meth:`start` to :meth:`close`.

    Args:
        name: What it is called, for sentences.
        find: Gives PortAudio's index of it as things are now, or raises :class:`~shared.errors.DeviceError`.
        mailbox: Where its sound goes.
    """

    def __init__(self, name: str, find: Callable[[], int], mailbox: Mailbox) -> None:
        super().__init__("microphone", name)
        self._find = find
        self._mailbox = mailbox
        self._gone = Event()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._gone.set()
        super().close()

    def _attend(self) -> str:
        try:
            self._listen()
        except DeviceError:
            raise
        except Exception as error:  # noqa: BLE001  (PortAudio's error is not known where PortAudio is not)
            return f"The microphone {self._name!r} cannot be opened ({error}): does another program use it?"
        return f"The microphone {self._name!r} gives no sound any more: is it unplugged?"

    def _listen(self) -> None:
        """Listen until it is gone or closed."""
        refresh()
        library, index = portaudio(), self._find()
        with _quiet():
            rate_hz, channels = _format_of(library, index)
            ear = _Ear(Pcm16(rate_hz, channels), self._mailbox)
            self._gone.clear()
            stream = library.RawInputStream(
                device=index,
                samplerate=rate_hz,
                channels=channels,
                dtype="int16",
                blocksize=round(rate_hz * _BLOCK_S),
                latency="high",
                callback=ear.hear,
                finished_callback=self._gone.set,
            )
        with stream:
            while not self._closing.is_set() and not self._gone.wait(_BLOCK_S if ear.heard_at is None else _LOOK_S):
                if time.monotonic() - (ear.heard_at or ear.opened_at) > _SILENT_S:
                    return
                if ear.heard_at is not None:
                    self._clear_problem()


class _Ear:
    """Takes the blocks of one stream, on PortAudio's thread."""

    def __init__(self, pcm: Pcm16, mailbox: Mailbox) -> None:
        self.opened_at = time.monotonic()
        self.heard_at: float | None = None
        self._pcm = pcm
        self._mailbox = mailbox
        self._clock = SampleClock()
        self._end: int | None = None

    def hear(self, data: Any, _: int, __: Any, status: Any) -> None:  # noqa: ANN401  (PortAudio's own)
        """Take a block; where the samples end that came before, it begins, or after a gap."""
        self.heard_at = time.monotonic()
        samples = self._pcm.convert(bytes(data))
        at_s = self.heard_at - self._mailbox.started - len(samples) / SAMPLE_RATE_HZ
        placed = self._clock.place(at_s, len(samples), lost=bool(status.input_overflow))
        if not placed.count:
            return
        start, fitted = placed.start, fit(samples[placed.skip :], placed.count)
        if self._end is not None and 0 < start - self._end <= _FILLED:
            fitted, start = np.concatenate([np.zeros(start - self._end, np.float32), fitted]), self._end
        self._end = start + len(fitted)
        self._mailbox.hear(AudioBlock(start / SAMPLE_RATE_HZ, fitted))


def _format_of(library: ModuleType, index: int) -> tuple[int, int]:
    """Return rate and channels in which a device gives samples: ours where it can, else its own."""
    try:
        library.check_input_settings(device=index, channels=1, dtype="int16", samplerate=SAMPLE_RATE_HZ)
    except library.PortAudioError:
        info = library.query_devices(index)
        return round(info["default_samplerate"]), min(2, info["max_input_channels"])
    return SAMPLE_RATE_HZ, 1
