"""How the settings reach pika: the address, the password, who is trusted, and when a peer counts as gone."""

import ssl
from urllib.parse import urlsplit

import pika

from shared.errors import SettingsError
from shared.settings import BrokerSettings


def parameters_of(settings: BrokerSettings) -> pika.URLParameters:
    """Return pika's parameters; what the URL's query sets itself is kept.

    Raises:
        SettingsError: If the URL has a user without a password or a query that pika does not take, or the certificates
            to trust cannot be read.
    """
    parameters = _parsed(settings.full_url)
    if parameters.ssl_options is not None:
        parameters.ssl_options = pika.SSLOptions(_tls_of(settings), parameters.host)
    if parameters.heartbeat is None:
        parameters.heartbeat = settings.heartbeat_s
    if parameters.blocked_connection_timeout is None:
        parameters.blocked_connection_timeout = settings.blocked_timeout_s
    return parameters


def _parsed(url: str) -> pika.URLParameters:
    parts = urlsplit(url)
    if parts.username is not None and parts.password is None:
        raise SettingsError("AMQP_URL names a user without a password; give it in AMQP_PASSWORD.")
    try:
        return pika.URLParameters(url)
    except (ValueError, TypeError, SyntaxError):  # what pika says may quote a piece of the password
        raise SettingsError(
            "AMQP_URL has something behind its ? that is no parameter of a connection, or has no such value; "
            "leave it out, and where it belongs to the password, write ? as %3F."
        ) from None


def _tls_of(settings: BrokerSettings) -> ssl.SSLContext:
    """Return TLS that checks who the server is: by an authority that is trusted, and by its name."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"The certificates in AMQP_CA_FILE={settings.ca_file} cannot be read ({error}); name a file of them in PEM."
        ) from None
