"""What librosa compiles at its first use, compiled by one process at a time."""

import os
import tempfile
from pathlib import Path
from typing import Final

import librosa
import numba
import numpy as np
from filelock import FileLock, Timeout

from shared.errors import MienError

WAIT_S: Final = 300.0

_RATE_HZ: Final = 16_000


def compile_librosa(wait_s: float = WAIT_S) -> None:
    """Let librosa compile what it keeps compiled, while no other process does.

    numba keeps what it compiles in files that name each other's pieces. Two processes that write them at the same time
    can leave pieces that do not fit together, and every process that reads them later dies of a segmentation fault.

    Args:
        wait_s: Seconds to wait for another process that compiles.

    Raises:
        MienError: If that takes longer.
    """
    try:
        with FileLock(lock_file(), timeout=wait_s):
            hum = np.sin(np.arange(_RATE_HZ) * 0.1).astype(np.float32)
            librosa.yin(hum, fmin=65.0, fmax=500.0, sr=_RATE_HZ)
            librosa.filters.mel(sr=_RATE_HZ, n_fft=400)
    except Timeout:
        raise MienError(
            f"Another process has been compiling librosa for {wait_s:.0f} s: end it, or set NUMBA_CACHE_DIR to a "
            "folder that this process alone uses."
        ) from None


def lock_file() -> Path:
    """Return the file that whoever compiles has locked: it lies where numba keeps what is compiled."""
    kept_in: str = numba.config.CACHE_DIR  # type: ignore[attr-defined]  # numba makes it when it is imported
    folder = Path(kept_in or Path(librosa.__file__).parent)
    return (folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())) / "mien-compiling.lock"
