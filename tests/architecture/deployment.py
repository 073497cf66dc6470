"""What the tests of the deployment share: which settings, ports, accounts and images the code has."""

import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic_settings import BaseSettings

from shared.broker.rabbitmq.accounts import ROLES
from shared.settings import BrokerSettings, WorkerSettings
from shared.tracing import TraceSettings

DOCKERFILE: Final = Path("deploy/Dockerfile").read_text()
COMPOSE: Final[dict[str, Any]] = yaml.safe_load(Path("docker-compose.yml").read_text())
ACCOUNTS: Final = {role.name: role.account for role in ROLES}
PORT: Final = 8000


def variables_of(settings: type[BaseSettings]) -> set[str]:
    """Return the environment variables that settings are read from."""
    prefix = settings.model_config.get("env_prefix", "")
    fields = settings.model_fields.items()
    return {str(field.validation_alias or f"{prefix}{name}").upper() for name, field in fields}


def settings_of(service: str) -> set[str]:
    """Return the environment variables that a service reads."""
    module = import_module(f"services.{service}.settings")
    everything: list[type[BaseSettings]] = [BrokerSettings, TraceSettings, WorkerSettings]
    everything += [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, BaseSettings)]
    return {variable for settings in everything for variable in variables_of(settings)}


def ports_of_images() -> set[int]:
    """Return the ports that the Dockerfile tells services to listen on."""
    return set(map(int, re.findall(r"_PORT=(\d+)", DOCKERFILE)))


def write_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    """Have ``secrets.sh`` write ``.env`` into a folder, as one whose files everybody may read."""
    script = folder / "deploy" / "secrets.sh"
    script.parent.mkdir(exist_ok=True)
    shutil.copy("deploy/secrets.sh", script)
    return subprocess.run(["sh", str(script)], capture_output=True, text=True, umask=0o022, check=False)


def bytes_of(size: str) -> int:
    """Return what servers and orchestrators read in a size such as ``1g``, ``4Gi``, ``600MiB`` and ``512mb``."""
    short = size.lower().rstrip("ib")
    return int(short[:-1]) * {"m": 2**20, "g": 2**30}[short[-1]]
