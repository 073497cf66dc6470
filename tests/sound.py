"""A PulseAudio of our own: what is played in its room is what the microphone of the same name hears."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.servers import NoServerError

MICROPHONE: Final = "room"
TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05

_PROGRAMS: Final = ("pulseaudio", "pactl", "paplay")
_ALSA: Final = 'pcm.room { type pulse device room.monitor hint { show on description "Room" } }\n'


class Room:
    """A private PulseAudio with a null sink; its folder is its home and its runtime folder.

    Args:
        folder: Where it keeps what it needs.
        setenv: Sets a variable of the environment, so that this process and its children find it.

    Raises:
        NoServerError: If PulseAudio is not installed.
    """

    def __init__(self, folder: Path, setenv: Callable[[str, str], None]) -> None:
        missing = [program for program in _PROGRAMS if shutil.which(program) is None]
        if missing:
            raise NoServerError(f"{' and '.join(missing)} is not on the PATH")
        self._folder = folder
        (folder / ".asoundrc").write_text(_ALSA)
        for name, value in {
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "PULSE_RUNTIME_PATH": folder,
            "PULSE_SERVER": f"unix:{folder / 'native'}",
        }.items():
            setenv(name, str(value))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it: the microphone is plugged in."""
        sink = f"module-null-sink sink_name={MICROPHONE} rate=48000 channels=2"
        socket = f"module-native-protocol-unix auth-anonymous=1 socket={self._folder / 'native'}"
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"]
        with (self._folder / "pulseaudio.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["pulseaudio", *options, "-L", socket, "-L", sink], stdout=log, stderr=log, process_group=0
            )
        deadline = monotonic() + TIMEOUT_S
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "pulseaudio.log").read_text()
            assert monotonic() < deadline, (self._folder / "pulseaudio.log").read_text()

    def play(self, samples: NDArray[np.float32]) -> "subprocess.Popen[bytes]":
        """Start to play sound, 16 kHz mono, and return what plays it."""
        path = self._folder / "said.raw"
        path.write_bytes((samples * 32767).astype("<i2").tobytes())
        options = ["--device", MICROPHONE, "--raw", "--rate=16000", "--channels=1", "--format=s16le"]
        return subprocess.Popen(["paplay", *options, str(path)])

    def unplug(self) -> None:
        """End it without a goodbye: the microphone is gone."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            done = subprocess.run(
                ["pactl", "list", "short", "sinks"], check=False, capture_output=True, timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            return False
        return MICROPHONE.encode() in done.stdout
