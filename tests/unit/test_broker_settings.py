"""How the settings reach pika, and that the password goes nowhere else."""

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.broker.rabbitmq.parameters import parameters_of
from shared.errors import SettingsError
from shared.settings import BrokerSettings


def settings(url: str, **others: float) -> BrokerSettings:
    return BrokerSettings(url=SecretStr(url), **others)  # type: ignore[arg-type]


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URL", "amqp://somebody:secret@broker.example:5673/house")
    monkeypatch.setenv("AMQP_HEARTBEAT_S", "7")
    parameters = parameters_of(BrokerSettings())
    assert (parameters.host, parameters.port, parameters.virtual_host) == ("broker.example", 5673, "house")
    assert parameters.heartbeat == 7


def test_dead_peers_are_noticed_and_blocked_connections_kept() -> None:
    parameters = parameters_of(settings("amqp://broker.example"))
    assert parameters.heartbeat == 30
    assert parameters.blocked_connection_timeout is None


def test_what_the_url_says_itself_is_kept() -> None:
    parameters = parameters_of(settings("amqp://broker.example/%2F?heartbeat=5&blocked_connection_timeout=60"))
    assert parameters.heartbeat == 5
    assert parameters.blocked_connection_timeout == 60


def test_amqps_checks_the_certificate() -> None:
    parameters = parameters_of(settings("amqps://broker.example/"))
    assert parameters.port == 5671
    assert parameters.ssl_options is not None
    assert parameters.ssl_options.context.verify_mode == ssl.CERT_REQUIRED
    assert parameters.ssl_options.context.check_hostname


@pytest.mark.parametrize("url", ["", "http://somebody:secret@broker.example", "amqp://", "broker.example:5672"])
def test_another_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match="AMQP_URL") as caught:
        settings(url)
    assert "secret" not in str(caught.value)


def test_a_user_without_a_password_is_told_where_to_give_it() -> None:
    with pytest.raises(SettingsError, match="AMQP_PASSWORD"):
        parameters_of(settings("amqp://somebody@broker.example/"))


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(settings("amqp://somebody:secret@broker.example"))


def test_a_url_cannot_turn_the_check_of_certificates_off() -> None:
    with pytest.raises(SettingsError, match="AMQP_CA_FILE"):
        settings("amqps://broker.example/?ssl_options={'cert_reqs':0}")


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    words = tmp_path / "ca.pem"
    words.write_text("no certificate")
    for path in (words, tmp_path / "missing.pem"):
        wanted = settings("amqps://broker.example/").model_copy(update={"ca_file": path})
        with pytest.raises(SettingsError, match=path.name):
            parameters_of(wanted)
