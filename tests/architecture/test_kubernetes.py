"""The manifests fit the schemas of Kubernetes, and name only what exists in the code."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import pytest
import yaml

from shared import __version__
from shared.broker.rabbitmq.accounts import ROLES, Passwords
from shared.emotions import MODALITIES, Modality
from shared.topology import FUSION_QUEUE, MEDIA_QUEUES, RETRY_QUEUES, TOPOLOGY, QueueKind
from tests.architecture.crds import SCHEMAS
from tests.architecture.deployment import (
    ACCOUNTS,
    COMPOSE,
    PORT,
    bytes_of,
    ports_of_images,
    settings_of,
    variables_of,
    write_secrets,
)

FOLDER: Final = Path("deploy/kubernetes")
KUSTOMIZATION: Final[dict[str, Any]] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS: Final[list[dict[str, Any]]] = [
    document for name in KUSTOMIZATION["resources"] for document in yaml.safe_load_all((FOLDER / name).read_text())
]
SERVICES: Final = ("fusion", *MODALITIES)
CREATED: Final = (FOLDER / "create-secrets.sh").read_text()
GIVEN: Final = {"mien-authorities", "mien-rabbitmq-tls", "mien-http-tls"}
"""Secrets with certificates, which no script of ours can make."""

KUBERNETES: Final = "1.31"
ANYBODY: Final = "anybody"


def _of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in MANIFESTS if document["kind"] == kind}


DEPLOYMENTS: Final = _of_kind("Deployment")
WORKLOADS: Final = {**DEPLOYMENTS, **_of_kind("StatefulSet")}
SCALED: Final = _of_kind("ScaledObject")
SETTINGS: Final = _of_kind("ConfigMap")["mien-settings"]["data"]


def _pod(name: str) -> dict[str, Any]:
    pod: dict[str, Any] = WORKLOADS[name]["spec"]["template"]["spec"]
    return pod


def _container(name: str) -> dict[str, Any]:
    (container,) = _pod(name)["containers"]
    found: dict[str, Any] = container
    return found


def _environment(name: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in _container(name).get("env", [])}


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_every_manifest_fits_its_schema(manifest: dict[str, Any]) -> None:
    if manifest["kind"] in SCHEMAS:
        jsonschema.validate(manifest, SCHEMAS[manifest["kind"]])
    else:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_every_file_is_applied_and_every_service_deployed() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*KUSTOMIZATION["resources"], "kustomization.yaml"}
    assert set(DEPLOYMENTS) == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_only_settings_that_it_reads(service: str) -> None:
    assert set(_environment(service)) | set(SETTINGS) <= settings_of(service)
    assert _container(service)["envFrom"] == [{"configMapRef": {"name": "mien-settings"}}]
    assert SETTINGS["AMQP_DECLARE"] == "false"
    assert SETTINGS["AMQP_CA_FILE"] == "/etc/mien/authorities/ca.crt"
    assert {"name": "authorities", "mountPath": "/etc/mien/authorities", "readOnly": True} in (
        _container(service)["volumeMounts"]
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_own_account(service: str) -> None:
    environment = _environment(service)
    url = urlsplit(environment["AMQP_URL"]["value"])
    assert (url.scheme, url.username, url.password) == ("amqps", ACCOUNTS[service], None)
    assert f"{url.hostname}:{url.port}{url.path}" == "rabbitmq.mien.svc:5671/%2F"
    assert environment["AMQP_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == f"mien-account-{service}"


@pytest.mark.parametrize("service", SERVICES)
def test_images_and_ports_are_those_of_the_dockerfile(service: str) -> None:
    container = _container(service)
    tags = {each["name"]: each["newTag"] for each in KUSTOMIZATION["images"]}
    assert f"{container['image']}:{tags[container['image']]}" == COMPOSE["services"][service]["image"]
    assert tags[container["image"]] == __version__
    assert [port["containerPort"] for port in container["ports"]] == [PORT] == list(ports_of_images())
    annotations = WORKLOADS[service]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(PORT)


@pytest.mark.parametrize("service", SERVICES)
def test_probes_ask_what_the_service_answers(service: str) -> None:
    container = _container(service)
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_have_as_few_rights_as_they_need(name: str) -> None:
    pod, container = _pod(name), _container(name)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False, (
        "Kubernetes would set FUSION_PORT and the like, which are settings of ours"
    )
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_scaled_by_its_own_queues(service: str) -> None:
    scaled = SCALED[service]["spec"]
    queues = (
        [each[Modality(service)] for each in (MEDIA_QUEUES, RETRY_QUEUES)] if service in MODALITIES else [FUSION_QUEUE]
    )
    assert scaled["scaleTargetRef"] == {"name": service}
    assert [trigger["metadata"]["queueName"] for trigger in scaled["triggers"]] == queues
    assert {each["authenticationRef"]["name"] for each in scaled["triggers"]} <= set(_of_kind("TriggerAuthentication"))
    assert "replicas" not in DEPLOYMENTS[service]["spec"], "or every kubectl apply would undo what KEDA did"
    assert set(SCALED) == set(SERVICES)


def test_only_what_can_wait_for_a_start_goes_to_zero() -> None:
    patient = {queue.name for queue in TOPOLOGY.queues if queue.kind is QueueKind.QUORUM}
    to_zero = {name for name, each in SCALED.items() if each["spec"]["minReplicaCount"] == 0}
    assert to_zero == {modality for modality in MODALITIES if MEDIA_QUEUES[modality] in patient}


def test_keda_asks_with_the_account_that_may_only_look() -> None:
    observer = next(role for role in ROLES if role.name == "observer")
    queues = {trigger["metadata"]["queueName"] for each in SCALED.values() for trigger in each["spec"]["triggers"]}
    assert queues <= set(observer.looks_at)
    assert f"amqps://{observer.account}:" in CREATED


@pytest.mark.parametrize("name", [*SERVICES, "rabbitmq"])
def test_not_all_pods_of_a_kind_go_at_once(name: str) -> None:
    selector = _of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"]
    assert selector == {"app.kubernetes.io/name": name}
    if name in DEPLOYMENTS:
        assert selector.items() <= DEPLOYMENTS[name]["spec"]["template"]["metadata"]["labels"].items()


def test_no_secret_is_kept_here_and_each_that_is_named_is_made() -> None:
    assert not _of_kind("Secret")
    named = {(node["secretKeyRef"]["name"], node["secretKeyRef"]["key"]) for node in _nodes(MANIFESTS)
             if "secretKeyRef" in node}  # fmt: skip
    named |= {(each["name"], each["key"]) for node in _nodes(MANIFESTS) for each in node.get("secretTargetRef", [])}
    for name, key in named:
        assert name in GIVEN or re.search(rf"^secret {name} .*?(\\\n.*)*--from-literal={key}=", CREATED, re.MULTILINE)
    whole = {node["secretName"] for node in _nodes(MANIFESTS) if "secretName" in node}
    assert whole == GIVEN | {"mien-definitions"}
    assert all(name in CREATED for name in whole)


def test_secrets_are_made_of_the_passwords_that_the_definitions_want() -> None:
    used = set(re.findall(r"\$(MIEN_PASSWORD_\w+)", CREATED))
    assert used == variables_of(Passwords) - {"MIEN_PASSWORD_AGENT"}


KUBECTL: Final = """#!/bin/sh
[ "$1" = apply ] || echo "$6" >> "$(dirname "$0")/created"
"""
"""A command that notes the name of each secret it is to create, where no cluster is."""


@pytest.mark.parametrize(("python", "works"), [(sys.executable, True), ("false", False)], ids=["sound", "broken"])
def test_secrets_are_created_all_or_none(python: str, works: bool, tmp_path: Path) -> None:
    write_secrets(tmp_path).check_returncode()
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o700)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHON": python}
    script = FOLDER.absolute() / "create-secrets.sh"
    done = subprocess.run(["sh", script, ".env"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode == 0) is works, done.stderr
    created = (tmp_path / "created").read_text().split() if (tmp_path / "created").exists() else []
    assert created == (re.findall(r"^secret ([\w-]+) ", CREATED, re.MULTILINE) if works else [])


def test_rabbitmq_has_room_for_its_logs_before_it_holds_publishers_back() -> None:
    cluster = _of_kind("RabbitmqCluster")["rabbitmq"]["spec"]
    told = dict(line.split(" = ") for line in cluster["rabbitmq"]["additionalConfig"].splitlines())
    # The operator tells RabbitMQ of four fifths of the limit.
    limit = 0.8 * bytes_of(cluster["resources"]["limits"]["memory"])
    alarm = float(told["vm_memory_high_watermark.relative"]) * limit
    assert 3 * int(told["raft.wal_max_size_bytes"]) <= alarm


def test_rabbitmq_loads_the_definitions_that_are_mounted() -> None:
    cluster = _of_kind("RabbitmqCluster")["rabbitmq"]["spec"]
    pod = cluster["override"]["statefulSet"]["spec"]["template"]["spec"]
    mount = pod["containers"][0]["volumeMounts"][0]
    assert f"load_definitions = {mount['mountPath']}/definitions.json" in cluster["rabbitmq"]["additionalConfig"]
    assert pod["volumes"] == [{"name": mount["name"], "secret": {"secretName": "mien-definitions"}}]


@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_redis_keeps_an_append_only_file_and_evicts_nothing(where: str) -> None:
    pod, composed = _container("redis"), COMPOSE["services"]["redis"]
    limit = pod["resources"]["limits"]["memory"] if where == "kubernetes" else composed["mem_limit"]
    command = pod["args"][-1] if where == "kubernetes" else composed["command"][-1]
    told = dict(re.findall(r"--([a-z-]+) (\S+)", command))
    assert told["appendonly"] == "yes"
    assert told["maxmemory-policy"] == "noeviction"
    assert "maxmemory" in told, "without it no write is ever refused, and the container is killed at its limit"
    assert 2 * bytes_of(told["maxmemory"]) <= bytes_of(limit), "pages may be held twice while the file is written anew"


def _labels_of(name: str) -> dict[str, str]:
    if name == "rabbitmq":  # the operator's pods
        return {"app.kubernetes.io/name": "rabbitmq"}
    labels: dict[str, str] = WORKLOADS[name]["spec"]["template"]["metadata"]["labels"]
    return labels


def _pods(selector: dict[str, Any]) -> set[str]:
    wanted = selector.get("matchLabels", {}).items()
    return {name for name in (*WORKLOADS, "rabbitmq") if wanted <= _labels_of(name).items()}


def _peers(peer: dict[str, Any]) -> set[str]:
    if "ipBlock" in peer:
        return {ANYBODY}
    if "namespaceSelector" in peer:
        return set(peer["namespaceSelector"]["matchLabels"].values())
    return _pods(peer["podSelector"])


def _allowed(direction: str, peers: str) -> set[tuple[str, str, int]]:
    """Return who may reach whom at which port, as the policies of one direction have it."""
    found = set()
    for policy in _of_kind("NetworkPolicy").values():
        for rule in policy["spec"].get(direction, []):
            for pod in _pods(policy["spec"]["podSelector"]):
                others = {name for peer in rule.get(peers, []) for name in _peers(peer)}
                found |= {(pod, other, port["port"]) for other in others for port in rule["ports"]}
    return found


def test_agents_outside_have_a_way_to_what_the_policy_lets_them_reach() -> None:
    assert ("rabbitmq", ANYBODY, 5671) in _allowed("ingress", "from")
    service = _of_kind("RabbitmqCluster")["rabbitmq"]["spec"].get("service")
    assert service == {"type": "LoadBalancer"}, "the operator's own choice is an address inside the cluster"


def test_nobody_speaks_to_anybody_but_for_what_the_flow_needs() -> None:
    deny = _of_kind("NetworkPolicy")["default-deny"]["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    nodes = {("rabbitmq", "rabbitmq", port) for port in (4369, 25672)}
    assert _allowed("ingress", "from") == nodes | {
        *(("rabbitmq", service, 5671) for service in (*SERVICES, "keda", ANYBODY)),
        ("rabbitmq", "monitoring", 15691),
        ("redis", "fusion", 6379),
        ("fusion", "ingress-nginx", PORT),
        *((service, "monitoring", PORT) for service in SERVICES),
    }
    inside = {(pod, peer, port) for pod, peer, port in _allowed("egress", "to") if port != 53}
    assert inside == nodes | {
        *((service, "rabbitmq", 5671) for service in SERVICES),
        *((service, "monitoring", 4318) for service in SERVICES),
        ("fusion", "redis", 6379),
    }
