"""The fusion service over TLS on every side: RabbitMQ, Redis and its own API, with an authority of the test's own."""

import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from tests.integration.test_fusion_service import PATIENCE_S, port_of, service
from tests.servers import NoServerError, RabbitMqServer, free_port, restartable_redis


@dataclass(frozen=True, slots=True)
class Guarded:
    """A Redis that speaks TLS, as ``localhost``, and who vouches for it.

    Attributes:
        port: Where it does.
        ca_file: The authority.
        server_file: The certificate and key that it shows.
    """

    port: int
    ca_file: Path
    server_file: Path


@pytest.fixture(scope="module")
def redis_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder, port = tmp_path_factory.mktemp("tls"), free_port()
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    guarded = Guarded(port, folder / "ca.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(str(guarded.ca_file))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(guarded.server_file))
    shown = str(guarded.server_file)
    options = ["--tls-port", str(port), "--tls-cert-file", shown, "--tls-key-file", shown]
    try:
        with restartable_redis(*options, "--tls-ca-cert-file", str(guarded.ca_file), "--tls-auth-clients", "no"):
            yield guarded
    except NoServerError as error:
        pytest.skip(str(error))


def environment(rabbitmq: RabbitMqServer, vhost_url: str, redis: Guarded) -> dict[str, str]:
    if rabbitmq.tls_port is None:
        pytest.skip("only a RabbitMQ of our own is known to speak TLS")
    vhost = urlsplit(vhost_url).path
    return {
        "AMQP_URL": f"amqps://guest:guest@localhost:{rabbitmq.tls_port}{vhost}",
        "AMQP_CA_FILE": str(rabbitmq.ca_file),
        "REDIS_URL": f"rediss://localhost:{redis.port}/0",
        "REDIS_CA_FILE": str(redis.ca_file),
        "FUSION_TLS_CERT_FILE": str(redis.server_file),
    }


def test_everything_is_said_over_tls(
    rabbitmq_server: RabbitMqServer, rabbitmq_vhost_url: str, redis_tls: Guarded
) -> None:
    wanted = {"consent": True, "purpose": "personal"}
    with service(**environment(rabbitmq_server, rabbitmq_vhost_url, redis_tls)) as process:
        port = port_of(process)
        trusting = ssl.create_default_context(cafile=redis_tls.ca_file)
        with httpx.Client(base_url=f"https://localhost:{port}", verify=trusting, timeout=10) as api:
            assert api.get("/readyz").status_code == 200
            assert api.post("/v1/sessions", json=wanted).status_code == 201
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://localhost:{port}/readyz")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://127.0.0.1:{port}/readyz", verify=trusting)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://localhost:{port}/readyz")
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, log


@pytest.mark.parametrize("wrong", ["unknown authority", "another host"])
def test_a_redis_that_does_not_prove_who_it_is_gets_nothing(redis_tls: Guarded, tmp_path: Path, wrong: str) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    ca_file, host = (other, "localhost") if wrong == "unknown authority" else (redis_tls.ca_file, "127.0.0.1")
    url = f"rediss://:secret@{host}:{redis_tls.port}/0"
    with service(REDIS_URL=url, REDIS_CA_FILE=str(ca_file)) as process:
        _, log = process.communicate()
    assert process.returncode == 1
    assert len(log.strip().splitlines()) == 1, log
    assert "does not prove who it is" in log
    assert "REDIS_CA_FILE" in log
    assert "secret" not in log


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"REDIS_URL": "rediss://localhost:1/0?ssl_cert_reqs=none"}, "REDIS_URL: it may not hold"),
        ({"REDIS_CA_FILE": "/no/such/file"}, "REDIS_CA_FILE: Path does not point to a file"),
    ],
)
def test_certificates_are_always_checked(settings: dict[str, str], words: str) -> None:
    with service(**settings) as process:
        _, log = process.communicate()
    assert process.returncode == 1
    assert len(log.strip().splitlines()) == 1, log
    assert words in log


def test_a_certificate_that_is_none_is_said_in_one_line(
    rabbitmq_vhost_url: str, redis_url: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate")
    settings = {"AMQP_URL": rabbitmq_vhost_url, "REDIS_URL": redis_url, "FUSION_TLS_CERT_FILE": str(broken)}
    with service(**settings) as process:
        _, log = process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in log
    assert "FUSION_TLS_CERT_FILE" in log.strip().splitlines()[-1]
