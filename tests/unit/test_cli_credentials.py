"""Where the agent's password comes from, and where it may not."""

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from pika import PlainCredentials
from pydantic import SecretStr

from services.cli.choice import SourceChoice, open_source
from services.cli.credentials import KEYRING_SERVICE, broker_settings, place_of, stream_url
from shared.broker.rabbitmq.parameters import parameters_of
from shared.errors import SettingsError
from shared.settings import BrokerSettings


class BoxKeyring(KeyringBackend):
    """A keyring of this test's own."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture(autouse=True)
def _own_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AMQP_URL", "AMQP_PASSWORD", "STREAM_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    previous = keyring.get_keyring()
    keyring.set_keyring(BoxKeyring())
    yield
    keyring.set_keyring(previous)


def test_a_password_on_the_command_line_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="--broker") as caught:
        broker_settings("amqps://agent:hunter2@broker.example")
    assert "hunter2" not in str(caught.value)


def login(settings: BrokerSettings) -> tuple[str, str]:
    credentials = parameters_of(settings).credentials
    assert isinstance(credentials, PlainCredentials)
    return credentials.username, credentials.password


def test_the_keyring_has_it() -> None:
    keyring.set_password(KEYRING_SERVICE, "agent@broker.example", "hunter2/:@")
    settings = broker_settings("amqps://agent@broker.example:5671")
    assert login(settings) == ("agent", "hunter2/:@")
    assert "hunter2" not in repr(settings)


def test_the_environment_goes_before_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring.set_password(KEYRING_SERVICE, "agent@broker.example", "old")
    monkeypatch.setenv("AMQP_PASSWORD", "new")
    assert login(broker_settings("amqp://agent@broker.example")) == ("agent", "new")


def test_a_password_in_the_url_of_the_environment_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URL", "amqp://agent:inside@broker.example")
    monkeypatch.setenv("AMQP_PASSWORD", "apart")
    assert login(broker_settings(None)) == ("agent", "inside")


def test_a_user_without_a_password_is_told_where_to_put_one() -> None:
    with pytest.raises(SettingsError, match=r"keyring set mien agent@broker\.example"):
        broker_settings("amqp://agent@broker.example")
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    with pytest.raises(SettingsError, match="AMQP_PASSWORD"):
        broker_settings("amqp://agent@broker.example")


def test_a_camera_s_password_comes_from_where_the_broker_s_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stream_url("rtsp://camera.example/live?channel=1") == "rtsp://camera.example/live?channel=1"
    with pytest.raises(SettingsError, match=r"keyring set mien viewer@camera\.example"):
        stream_url("rtsp://viewer@camera.example:554/live")
    keyring.set_password(KEYRING_SERVICE, "viewer@camera.example", "hunter2/:@")
    assert (
        stream_url("rtsp://viewer@camera.example:554/live") == "rtsp://viewer:hunter2%2F%3A%40@camera.example:554/live"
    )
    monkeypatch.setenv("STREAM_PASSWORD", "new")
    assert stream_url("rtsp://viewer@camera.example/live") == "rtsp://viewer:new@camera.example/live"
    with pytest.raises(SettingsError, match="STREAM_PASSWORD") as caught:
        stream_url("rtsp://viewer:hunter2@camera.example/live")
    assert "hunter2" not in str(caught.value)


def test_the_place_says_whether_the_way_is_encrypted() -> None:
    def place(url: str) -> str:
        return place_of(BrokerSettings(url=SecretStr(url)))

    assert place("amqps://a:secret@broker.example") == "broker.example:5671 (encrypted, its certificate is checked)"
    assert place("amqp://a:secret@broker.example") == "broker.example:5672 (NOT encrypted)"


@pytest.mark.parametrize("url", ["rtsp://[bad", "rtsp://viewer:hunter2[@camera.example/live"])
def test_a_stream_s_url_that_falls_apart_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match="falls apart") as caught:
        stream_url(url)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match="falls apart"):
        open_source(SourceChoice(camera=url, microphone=False), None)
