"""The agent's command needs nothing but what the capture extra brings."""

import subprocess
import sys
import tomllib
from pathlib import Path

CODE = """
import sys, services.cli.app, services.cli.capture, services.cli.devices, services.cli.window
print(*sys.modules)
"""


def test_capturing_imports_no_package_of_another_service() -> None:
    extras = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
    others = {"fakeredis", "tensorflow", "torch", "whisper"}
    for extra in ("text", "audio", "face", "fusion"):
        names = {requirement.split(">")[0].split("[")[0] for requirement in extras[extra]}
        others |= {name.replace("-", "_") for name in names}
    own = {requirement.split(">")[0].replace("-", "_") for requirement in extras["capture"]}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert not imported & (others - own)
