"""An agent installed alone: commands that need more than it say so in one sentence."""

import subprocess
import sys


def test_a_command_whose_packages_are_not_installed_names_them() -> None:
    program = "import sys; sys.modules['redis'] = None; from services.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "live", "--consent"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (
        done.stderr.strip() == "mien: This command needs the package redis, which is not installed; install mien[all]."
    )
