"""Which microphones and cameras there are, chosen by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from services.capture.sources.camera import Camera
from services.capture.sources.devices import LiveDevices
from services.capture.sources.file import DEFAULT_FPS
from services.capture.sources.mailbox import Mailbox
from services.capture.sources.microphone import MISSING_PORTAUDIO, Microphone, portaudio, refresh
from services.capture.sources.network import is_url, without_password
from shared.errors import BadInputError, DeviceError

DeviceKind = Literal["microphone", "camera"]

_VIDEO_DEVICES: Final = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A microphone or a camera.

    Attributes:
        kind: Which of both.
        name: What its maker or the person calls it.
        default: Whether it is taken where none is named.
        address: What it is opened by: PortAudio's index, a path such as ``/dev/video0``, OpenCV's index, or a URL.
    """

    kind: DeviceKind
    name: str
    default: bool
    address: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenDevice:
    """A device that is to be opened.

    Attributes:
        name: Its name; where it is not there now, what the person called it.
        address: What it is opened by, as for :class:`Device`; None where it is not there now.
        missing: Why it is not there now, in a sentence, or None.
    """

    name: str
    address: int | str | None
    missing: str | None


def list_devices() -> list[Device]:
    """Return every microphone and camera that there is now; call it before a microphone is opened."""
    return list_microphones() + list_cameras()


def list_microphones() -> list[Device]:
    """Return what PortAudio can record from; nothing where PortAudio is missing."""
    try:
        refresh()
    except DeviceError:
        return []
    return _microphones()


def list_cameras(folder: Path = _VIDEO_DEVICES) -> list[Device]:
    """Return the cameras that Linux knows; elsewhere they are chosen by their index.

    Args:
        folder: Where the kernel lists video devices.
    """
    found = sorted(folder.glob("video*"), key=lambda path: (len(path.name), path.name))
    # A camera has further nodes that carry no pictures; the kernel numbers the nodes of each camera from 0.
    nodes = [path for path in found if _read(path / "index") in {"0", ""}]
    return [
        Device(kind="camera", name=_read(path / "name") or path.name, default=number == 0, address=f"/dev/{path.name}")
        for number, path in enumerate(nodes)
    ]


def missing_support() -> str | None:
    """Return a sentence where this machine lacks the library for microphones; None where all is there."""
    try:
        portaudio()
    except DeviceError:
        return MISSING_PORTAUDIO
    return None


def find_device(kind: DeviceKind, name: str | None = None) -> Device:
    """Return the device of a name.

    Args:
        kind: Microphone or camera.
        name: Its whole name, its number counted from 0, or a part of its name in any case, in this order, or, of a
            camera, its path or URL; None for the default one.

    Raises:
        DeviceError: If there is none; the sentence names those that there are.
    """
    if kind == "camera":
        return _find_camera(name)
    portaudio()
    return _choose(kind, name, list_microphones())


def choose_device(kind: DeviceKind, name: str | None = None) -> ChosenDevice:
    """Return the device of a name, even where it is not there now: PortAudio hides a microphone that is busy.

    Args:
        kind: Microphone or camera.
        name: As for :func:`find_device`.

    Raises:
        DeviceError: If none is named and there is none, or the library for microphones is missing.
    """
    if kind == "microphone":
        portaudio()
    try:
        device = find_device(kind, name)
    except DeviceError as error:
        if name is None:
            raise
        return ChosenDevice(name=name, address=None, missing=str(error))
    return ChosenDevice(name=device.name, address=device.address, missing=None)


def open_live(
    *,
    microphone: str | Literal[False] | None = None,
    camera: str | Literal[False] | None = None,
    frames_per_second: float = DEFAULT_FPS,
) -> LiveDevices:
    """Return a source of what happens now.

    Args:
        microphone: Its name as for :func:`find_device`, None for the default one, or False for none.
        camera: Its name as for :func:`find_device`, None for the default one, or False for none.
        frames_per_second: Frames to give a second, at most.

    Raises:
        DeviceError: If none is named and there is none. One that is named, and is busy or missing now or later, is
            waited for; the source's ``problem`` says so.
        BadInputError: If there is to be neither, or the frame rate is not above 0.
    """
    if microphone is False and camera is False:
        raise BadInputError("Neither microphone nor camera is to be used; leave one of them on.")
    if not frames_per_second > 0:
        raise BadInputError(f"The frame rate is {frames_per_second}; give one above 0, for example {DEFAULT_FPS:g}.")
    devices: list[Callable[[Mailbox], Microphone | Camera]] = []
    if microphone is not False:
        ear = choose_device("microphone", microphone)
        find_ear = _Finder(_find_microphone, ear.name, ear.address)
        devices.append(lambda mailbox: Microphone(ear.name, lambda: int(find_ear()), mailbox))
    if camera is not False:
        eye = choose_device("camera", camera)
        find_eye = _Finder(_find_camera, camera if camera is not None and is_url(camera) else eye.name, eye.address)
        devices.append(lambda mailbox: Camera(eye.name, find_eye, mailbox, frames_per_second))
    return LiveDevices(devices, has_audio=microphone is not False, has_video=camera is not False)


class _Finder:
    """Finds a device as the person called it, and once found by its own name: it may return at another address.

    Of several with that name it is the one at the address where it was last.
    """

    def __init__(self, find: Callable[[str, int | str | None], Device], name: str, address: int | str | None) -> None:
        self._find = find
        self._name = name
        self._address = address

    def __call__(self) -> int | str:
        device = self._find(self._name, self._address)
        self._name = self._name if is_url(self._name) else device.name
        self._address = device.address
        return device.address


def _microphones() -> list[Device]:
    library = portaudio()
    inputs = [info for info in library.query_devices() if info["max_input_channels"] > 0]
    default = library.query_devices(kind="input")["index"] if inputs else None
    return [
        Device(kind="microphone", name=info["name"], default=info["index"] == default, address=info["index"])
        for info in inputs
    ]


def _find_microphone(name: str | None, address: int | str | None = None) -> Device:
    return _choose("microphone", name, _microphones(), address)


def _find_camera(name: str | None, address: int | str | None = None) -> Device:
    cameras = list_cameras()
    if name is not None and is_url(name):
        return Device(kind="camera", name=without_password(name), default=False, address=name)
    if name is not None and name.startswith("/"):
        if not Path(name).exists():
            raise DeviceError(f"There is no camera at {name}; `mien devices` shows those that there are.")
        return Device(kind="camera", name=name, default=False, address=name)
    if not cameras and not _VIDEO_DEVICES.exists() and (name is None or name.isdecimal()):
        return Device(kind="camera", name=name or "0", default=name is None, address=int(name or 0))
    return _choose("camera", name, cameras, address)


def _choose(kind: DeviceKind, name: str | None, devices: list[Device], address: int | str | None = None) -> Device:
    if name is None:
        chosen = [device for device in devices if device.default] or devices
    else:
        chosen = (
            [device for device in devices if device.name == name]
            or [device for number, device in enumerate(devices) if name == str(number)]
            or [device for device in devices if name.casefold() in device.name.casefold()]
        )
    if chosen:
        return next((device for device in chosen if device.address == address), chosen[0])
    there = ", ".join(repr(device.name) for device in devices)
    wanted = "" if name is None else f" called {name!r}"
    remedy = f"there is: {there}." if there else f"plug one in, or go on without a {kind}."
    raise DeviceError(f"There is no {kind}{wanted} on this machine, or another program holds it; {remedy}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
