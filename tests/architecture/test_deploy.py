"""The compose file, the Dockerfile and the deployment page name only what exists in the code."""

import ast
import re
import stat
from pathlib import Path

import pytest

from services.capture.settings import CaptureSettings
from shared import __version__
from shared.broker.rabbitmq.accounts import Passwords
from shared.emotions import MODALITIES
from tests.architecture.deployment import (
    ACCOUNTS,
    COMPOSE,
    DOCKERFILE,
    PORT,
    bytes_of,
    ports_of_images,
    settings_of,
    variables_of,
    write_secrets,
)

SERVICES = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service.get("build", {}).get("args") == {"SERVICE": name}]
MADE_HERE = [name for name, service in SERVICES.items() if "build" in service]


def test_compose_starts_every_service_but_the_agent() -> None:
    assert set(OURS) == {"fusion", *MODALITIES}


@pytest.mark.parametrize("name", OURS)
def test_compose_gives_a_service_only_settings_that_it_reads(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= settings_of(name)


@pytest.mark.parametrize("name", OURS)
def test_compose_gives_a_service_its_own_account(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert environment["AMQP_URL"].startswith(f"amqp://{ACCOUNTS[name]}@rabbitmq:5672/")
    assert environment["AMQP_PASSWORD"] == f"${{MIEN_PASSWORD_{name.upper()}:?}}"
    assert environment["AMQP_DECLARE"] == "false"


def test_compose_makes_the_definitions_out_of_the_passwords_of_every_role() -> None:
    assert set(SERVICES["definitions"]["environment"]) == variables_of(Passwords)
    assert "load_definitions = /etc/rabbitmq/definitions/" in Path("deploy/rabbitmq/rabbitmq.conf").read_text()
    assert "definitions:/etc/rabbitmq/definitions:ro" in SERVICES["rabbitmq"]["volumes"]


def test_passwords_are_for_their_owner_and_never_overwritten(tmp_path: Path) -> None:
    first = write_secrets(tmp_path)
    assert (first.returncode, first.stdout) == (0, "")
    written = (tmp_path / ".env").read_text()
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert write_secrets(tmp_path).returncode == 1
    assert (tmp_path / ".env").read_text() == written


def test_every_variable_that_compose_wants_is_written_by_the_script(tmp_path: Path) -> None:
    write_secrets(tmp_path).check_returncode()
    lines = (tmp_path / ".env").read_text().splitlines()
    secrets = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    wanted = set(re.findall(r"\$\{(\w+):\?", Path("docker-compose.yml").read_text()))
    assert wanted == set(secrets)
    Passwords.model_validate({name.removeprefix("MIEN_PASSWORD_").lower(): value for name, value in secrets.items()
                              if name.startswith("MIEN_PASSWORD_")})  # fmt: skip
    assert re.fullmatch(r"[0-9a-f]{64}", secrets["FUSION_API_KEYS"])


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_but_fusion_reaches_the_store_and_all_listen_on_loopback(name: str) -> None:
    service = SERVICES[name]
    assert ("store" in service.get("networks", [])) == (name in {"redis", "fusion"})
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert COMPOSE["networks"]["store"] == {"internal": True}


def test_rabbitmq_finds_its_data_again_in_a_new_container() -> None:
    assert "rabbitmq:/var/lib/rabbitmq" in SERVICES["rabbitmq"]["volumes"]
    assert SERVICES["rabbitmq"].get("hostname") == "rabbitmq", "its data lie in a folder of that name"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_of_compose_has_a_bound_on_memory(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])


def test_rabbitmq_holds_publishers_back_before_its_container_is_full() -> None:
    lines = Path("deploy/rabbitmq/rabbitmq.conf").read_text().splitlines()
    told = dict(line.split(" = ") for line in lines if not line.startswith("#"))
    assert "vm_memory_high_watermark.relative" not in told, "a share would be one of the machine's memory"
    alarm = bytes_of(told["vm_memory_high_watermark.absolute"])
    assert alarm <= 0.6 * bytes_of(SERVICES["rabbitmq"]["mem_limit"])
    assert 3 * int(told["raft.wal_max_size_bytes"]) <= alarm


@pytest.mark.parametrize("name", SERVICES)
def test_files_that_compose_mounts_are_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert Path(source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_images_carry_the_version_and_the_port() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {f"mien-{name}:{__version__}" for name in OURS}
    assert ports_of_images() == {PORT}
    assert f"EXPOSE {PORT}" in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_each_image_is_built_from_its_own_lock_and_folder(name: str) -> None:
    assert SERVICES[name]["build"]["args"] == {"SERVICE": name}
    assert Path(f"deploy/requirements/{name}.txt").is_file()
    assert Path(f"services/{name}/__main__.py").is_file()


def test_every_target_that_compose_names_is_a_stage_that_runs_what_is_there() -> None:
    targets = {SERVICES[name]["build"].get("target", "service") for name in MADE_HERE}
    assert targets == {"service", "connected"}
    assert targets <= set(re.findall(r"^FROM .* AS (\w+)$", DOCKERFILE, re.MULTILINE))
    for path in re.findall(r"^COPY (services/\w+(?:\.py|/)) ", DOCKERFILE, re.MULTILINE):
        assert Path(path).exists()
    assert DOCKERFILE.rstrip().endswith("FROM service")


def test_the_locks_that_share_the_image_of_the_agent_beside_fusion_agree() -> None:
    locks = [Path(f"deploy/requirements/{name}.txt").read_text() for name in ("fusion", "capture")]
    fusion, capture = (dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)) for lock in locks)
    shared = fusion.keys() & capture.keys()
    assert {"pika", "pydantic"} <= shared
    assert {name: fusion[name] for name in shared} == {name: capture[name] for name in shared}


@pytest.mark.parametrize("name", [*MADE_HERE, "redis", "prometheus", "grafana"])
def test_services_run_with_as_few_rights_as_they_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE)


def test_every_server_has_a_health_check() -> None:
    assert all("healthcheck" in service for name, service in SERVICES.items() if name not in OURS)
    assert all("healthcheck" not in SERVICES[name] for name in OURS)
    [code] = re.findall(r'HEALTHCHECK [^"]*"python", "-c", "([^"]+)"', DOCKERFILE.replace("\\\n", ""))
    assert "FUSION_TLS_CERT_FILE" in code
    ast.parse(code)


def test_dockerfile_sets_only_what_some_service_reads() -> None:
    everything = set().union(*(settings_of(name) for name in OURS))
    named = set(re.findall(r"\b((?:WORKER|FUSION|TEXT|AUDIO|FACE|AMQP|REDIS|OTEL)_[A-Z_]+)=", DOCKERFILE))
    assert named
    assert named <= everything


def test_the_deployment_page_has_every_setting_and_no_other() -> None:
    assert variables_on("deploy/README.md") == set().union(*(settings_of(name) for name in OURS))


def test_the_page_of_the_agent_has_its_settings_and_the_deployment_page_leads_there() -> None:
    assert variables_on("services/capture/README.md") == variables_of(CaptureSettings)
    assert "(../services/capture/README.md#settings)" in Path("deploy/README.md").read_text()


def variables_on(page: str) -> set[str]:
    """Return the environment variables that have a row in a table of a page."""
    rows = [line.split("|")[1] for line in Path(page).read_text().splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_page_here_is_named_on_the_deployment_page() -> None:
    page = Path("deploy/README.md").read_text()
    assert not [path.name for path in Path("deploy").glob("*.md") if path.name != "README.md" and path.name not in page]


@pytest.mark.parametrize("page", ["README.md", "deploy/README.md"])
def test_a_page_logs_in_with_accounts_that_there_are(page: str) -> None:
    text = Path(page).read_text()
    named = set(re.findall(r"(?:amqps?://|keyring set mien )([\w-]+)(?::[\w-]+)?@", text))
    assert named <= {*ACCOUNTS.values(), "guest", "user"}


def test_the_deployment_page_says_where_an_agent_gets_its_password() -> None:
    assert "`MIEN_PASSWORD_AGENT` as its `AMQP_PASSWORD`" in Path("deploy/README.md").read_text()
