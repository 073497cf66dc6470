"""The ``mien`` command as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SAMPLE: Final = Path("services/capture/sample/sample.mp4")
PATIENCE_S: Final = 110


def mien(
    *arguments: str | Path, text: str | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``mien`` to its end, with words on standard input and more in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "services", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        input=text,
        env={**os.environ, **(environment or {})},
        check=False,
    )
