"""The compose file, the Dockerfile and the deployment page name only what exists in the code."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from shared.emotions import MODALITIES
from shared.service import WorkerSettings
from shared.settings import BrokerSettings

COMPOSE: dict[str, Any] = yaml.safe_load(Path("docker-compose.yml").read_text())
DOCKERFILE = Path("deploy/Dockerfile").read_text()
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


def _variables(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper() for name in settings.model_fields}


def _settings_of(service: str) -> set[str]:
    module = import_module(f"services.{service}.settings")
    own = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, BaseSettings))
    known = set().union(*(_variables(each) for each in own), _variables(BrokerSettings))
    return known | _variables(WorkerSettings)


def test_compose_starts_every_service_but_the_agent() -> None:
    assert set(OURS) == {"fusion", *MODALITIES}


@pytest.mark.parametrize("name", OURS)
def test_compose_gives_a_service_only_settings_that_it_reads(name: str) -> None:
    assert set(COMPOSE["services"][name]["environment"]) <= _settings_of(name)


@pytest.mark.parametrize("name", OURS)
def test_each_image_is_built_from_its_own_lock_and_folder(name: str) -> None:
    assert COMPOSE["services"][name]["build"]["args"] == {"SERVICE": name}
    assert Path(f"deploy/requirements/{name}.txt").is_file()
    assert Path(f"services/{name}/__main__.py").is_file()


def test_every_target_that_compose_names_is_a_stage_that_runs_what_is_there() -> None:
    targets = {service["build"].get("target", "service") for service in map(COMPOSE["services"].get, OURS)}
    assert targets == {"service", "connected"}
    assert targets <= set(re.findall(r"^FROM .* AS (\w+)$", DOCKERFILE, re.MULTILINE))
    for path in re.findall(r"^COPY (services/\w+(?:\.py|/)) ", DOCKERFILE, re.MULTILINE):
        assert Path(path).exists()
    assert DOCKERFILE.rstrip().endswith("FROM service")


@pytest.mark.parametrize("name", OURS)
def test_services_run_with_as_few_rights_as_they_need(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE)


def test_every_server_has_a_health_check() -> None:
    assert all("healthcheck" in service for name, service in COMPOSE["services"].items() if name not in OURS)
    assert "HEALTHCHECK" in DOCKERFILE


def test_dockerfile_sets_only_what_some_service_reads() -> None:
    everything = set().union(*(_settings_of(name) for name in OURS))
    named = set(re.findall(r"\b((?:WORKER|FUSION|TEXT|AUDIO|FACE|AMQP|REDIS)_[A-Z_]+)=", DOCKERFILE))
    assert named
    assert named <= everything


def test_every_setting_on_the_deployment_page_exists() -> None:
    everything = set().union(*(_settings_of(name) for name in OURS))
    rows = [line.split("|")[1] for line in Path("deploy/README.md").read_text().splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert named
    assert named <= everything
