"""What is to be captured: the options of the command line become one source, and words for the person who consents."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.capture.devices import DeviceKind, choose_device, open_live
from services.capture.sources.file import FileSource
from services.capture.sources.network import NetworkSource, is_url
from services.capture.sources.pcm import PcmSource
from services.capture.sources.port import Source
from services.cli.credentials import stream_url
from shared.emotions import MODALITIES, Modality
from shared.errors import SettingsError
from shared.messages.speech import SAMPLE_RATE_HZ
from shared.sessions import hears, sees
from shared.topology import FRAME_READERS


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What the command line names.

    Attributes:
        file: A recording.
        url: A network stream, without what may be secret in it when it is shown.
        stdin: Whether raw sound comes on standard input.
        rate_hz: Its sampling rate.
        microphone: A microphone's name, None for the default one, or False for none.
        camera: A camera's name, None for the default one, or False for none.
        realtime: Whether a recording is played at real time.
        fps: Frames a second, at most.
    """

    file: Path | None = None
    url: str | None = None
    stdin: bool = False
    rate_hz: int = SAMPLE_RATE_HZ
    microphone: str | Literal[False] | None = None
    camera: str | Literal[False] | None = None
    realtime: bool = False
    fps: float = 5.0

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            SettingsError: If more than one source is named, or an option belongs to another one.
        """
        devices = self.microphone is not None or self.camera is not None
        named = [self.file is not None, self.url is not None, self.stdin, devices]
        if sum(named) > 1:
            raise SettingsError("Name one source: --file, --url, --stdin, or a microphone and a camera.")
        if self.realtime and self.file is None:
            raise SettingsError("--realtime is for a --file; everything else happens at its own pace.")
        if self.rate_hz != SAMPLE_RATE_HZ and not self.stdin:
            raise SettingsError("--rate is for --stdin; everything else says its own.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSource:
    """A source that can be read.

    Attributes:
        source: The source.
        words: What it records, for the consent screen.
        modalities: What can be judged of it and was asked for.
        live: Whether it happens now.
    """

    source: Source
    words: tuple[str, ...]
    modalities: tuple[Modality, ...]
    live: bool


def open_source(choice: SourceChoice, wanted: Sequence[Modality] | None) -> OpenedSource:
    """Open what was chosen.

    Args:
        choice: What the command line names.
        wanted: What is to be judged; None for all that the source gives.

    Raises:
        SettingsError: If the choice contradicts itself, or what is wanted cannot come of it.
        BadInputError: If it is not there or cannot be read; a microphone or camera that is named is waited for.
    """
    choice.check()
    modalities = _modalities(choice, wanted)
    audio, video = hears(modalities), sees(modalities)
    if choice.file is not None:
        file = FileSource(choice.file, choice.fps, realtime=choice.realtime, audio=audio, video=video)
        words = (f"the recording {choice.file.name}",)
        return OpenedSource(source=file, words=words, modalities=modalities, live=choice.realtime)
    if choice.url is not None:
        stream = NetworkSource(stream_url(choice.url), choice.fps, audio=audio, video=video)
        words = ("the network stream that you named",)
        return OpenedSource(source=stream, words=words, modalities=modalities, live=True)
    if choice.stdin:
        pcm = PcmSource(sys.stdin.buffer, choice.rate_hz)
        return OpenedSource(source=pcm, words=("sound on standard input",), modalities=modalities, live=True)
    return _open_devices(choice, modalities)


def _open_devices(choice: SourceChoice, modalities: tuple[Modality, ...]) -> OpenedSource:
    microphone = choice.microphone if hears(modalities) else False
    camera = choice.camera if sees(modalities) else False
    if camera and is_url(camera):
        camera = stream_url(camera)
    words = []
    if microphone is not False:
        words.append(f"sound of {_named('microphone', microphone)}, where somebody speaks")
    if camera is not False:
        words.append(f"pictures of {_named('camera', camera)}, at most {choice.fps:g} a second")
    source = open_live(microphone=microphone, camera=camera, frames_per_second=choice.fps)
    return OpenedSource(source=source, words=tuple(words), modalities=modalities, live=True)


def _named(kind: DeviceKind, name: str | None) -> str:
    device = choose_device(kind, name)
    return f"the {kind} {device.name!r}" + (f" (it is waited for: {device.missing})" if device.missing else "")


def _modalities(choice: SourceChoice, wanted: Sequence[Modality] | None) -> tuple[Modality, ...]:
    is_device = choice.file is None and choice.url is None and not choice.stdin
    deaf = is_device and choice.microphone is False
    blind = choice.stdin or (is_device and choice.camera is False)
    given = tuple(each for each in MODALITIES if not (blind if each in FRAME_READERS else deaf))
    chosen = tuple(each for each in MODALITIES if each in wanted) if wanted else given
    missing = [each for each in chosen if each not in given]
    if missing or not chosen:
        what = ", ".join(missing) or "anything"
        raise SettingsError(
            f"This source cannot show {what}: give it a microphone for text and audio, a camera for face."
        )
    return chosen
