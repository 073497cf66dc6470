"""How the agent gets into a broker or a camera: passwords come from the environment or the keyring, not as options."""

import os
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from shared.errors import SettingsError
from shared.settings import BrokerSettings

KEYRING_SERVICE: Final = "mien"

_BROKER_VARIABLE: Final = "AMQP_PASSWORD"
_STREAM_VARIABLE: Final = "STREAM_PASSWORD"


def broker_settings(url: str | None) -> BrokerSettings:
    """Return how to reach the broker.

    The password is that of ``AMQP_URL``, else ``AMQP_PASSWORD``, else the keyring's, kept under the service ``mien``
    and the name ``USER@HOST``. A URL without a user gets none.

    Args:
        url: The broker as the command line names it, without a password; None for the environment's ``AMQP_URL``.

    Raises:
        SettingsError: If the URL of the command line holds a password, or none can be found for its user.
    """
    settings = BrokerSettings(url=SecretStr(url)) if url is not None else BrokerSettings()
    if url is not None:
        _refuse_password(url, "--broker", _BROKER_VARIABLE)
    parts = urlsplit(settings.url.get_secret_value())
    if parts.username is None or parts.password is not None or settings.password is not None:
        return settings
    name = f"{unquote(parts.username)}@{parts.hostname}"
    return settings.model_copy(update={"password": SecretStr(_from_keyring(name, _BROKER_VARIABLE))})


def stream_url(url: str) -> str:
    """Return the URL of a network stream with its user's password, which is ``STREAM_PASSWORD``, else the keyring's.

    Args:
        url: The stream as the command line names it, without a password; one without a user needs none.

    Raises:
        SettingsError: If it is no URL, holds a password, or none can be found for its user.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # nothing of it is quoted, for it may hold a password
        raise SettingsError(
            "The URL of the stream falls apart; check it: what is special in a user's name must be written %40 for @, "
            "%2F for /, %5B for [."
        ) from None
    _refuse_password(url, "the URL", _STREAM_VARIABLE)
    if parts.username is None:
        return url
    name = f"{unquote(parts.username)}@{parts.hostname}"
    password = os.environ.get(_STREAM_VARIABLE) or _from_keyring(name, _STREAM_VARIABLE)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username}:{quote(password, safe='')}@{place}").geturl()


def place_of(settings: BrokerSettings) -> str:
    """Return host and port of a broker, and whether the way there is encrypted, in words."""
    parts = urlsplit(settings.url.get_secret_value())
    encrypted = parts.scheme == "amqps"
    port = parts.port or (5671 if encrypted else 5672)
    return f"{parts.hostname}:{port} ({'encrypted, its certificate is checked' if encrypted else 'NOT encrypted'})"


def _refuse_password(url: str, where: str, variable: str) -> None:
    if urlsplit(url).password is not None:
        raise SettingsError(
            f"A password on the command line can be read by everybody on this machine: leave it out of {where}, "
            f"and set {variable} or keep it in the keyring."
        )


def _from_keyring(name: str, variable: str) -> str:
    try:
        import keyring  # noqa: PLC0415  (not everybody has it)
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise SettingsError(
            f"There is no password for {name}: set {variable}, or install mien[keyring] and keep it with "
            f"`keyring set {KEYRING_SERVICE} {name}`."
        ) from None
    try:
        password = keyring.get_password(KEYRING_SERVICE, name)
    except KeyringError as error:
        raise SettingsError(f"The keyring does not open ({_first_line(error)}); set {variable} instead.") from None
    if password is None:
        raise SettingsError(
            f"There is no password for {name}: set {variable}, or keep it with `keyring set {KEYRING_SERVICE} {name}`."
        )
    return password


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
