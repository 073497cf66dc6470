"""A PulseAudio of our own: what is played in its room is what the microphone of the same name hears."""

import os
import shutil
import signal
import subprocess
import sys
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

_MOST_CLIENTS: Final = 64
"""PulseAudio's own bound."""

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
        socket = f"module-native-protocol-unix auth-anonymous=1 socket={folder / 'native'}"
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"]
        with (folder / "pulseaudio.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["pulseaudio", *options, "-L", socket], stdout=log, stderr=log, process_group=0
            )
        deadline = monotonic() + TIMEOUT_S
        while not self.plug_in():
            assert self._process.poll() is None, (folder / "pulseaudio.log").read_text()
            assert monotonic() < deadline, (folder / "pulseaudio.log").read_text()

    def plug_in(self) -> bool:
        """Plug the microphone in, and return whether that went well."""
        sink = [f"sink_name={MICROPHONE}", "rate=48000", "channels=2"]
        return self._control("load-module", "module-null-sink", *sink)

    def unplug(self) -> None:
        """Take the microphone away from whoever listens to it."""
        assert self._control("unload-module", "module-null-sink")

    def hold(self) -> "subprocess.Popen[bytes]":
        """Let another program take every connection that PulseAudio has to give, until it is killed, and return it."""
        take = (
            "import socket, sys\n"
            f"held = [socket.socket(socket.AF_UNIX) for _ in range({_MOST_CLIENTS})]\n"
            "for each in held: each.connect(sys.argv[1])\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()\n"
        )
        command = [sys.executable, "-c", take, str(self._folder / "native")]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout is not None
        holder.stdout.readline()
        return holder

    def close(self) -> None:
        """End it."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def play(self, samples: NDArray[np.float32]) -> "subprocess.Popen[bytes]":
        """Start to play sound, 16 kHz mono, and return what plays it."""
        path = self._folder / "said.raw"
        path.write_bytes((samples * 32767).astype("<i2").tobytes())
        options = ["--device", MICROPHONE, "--raw", "--rate=16000", "--channels=1", "--format=s16le"]
        return subprocess.Popen(["paplay", *options, str(path)])

    def _control(self, *arguments: str) -> bool:
        done = subprocess.run(["pactl", *arguments], check=False, capture_output=True, timeout=TIMEOUT_S)
        return done.returncode == 0
