"""Settings that several services share; each comes from the environment."""

from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from pydantic import Field, PositiveFloat, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class BrokerSettings(BaseSettings):
    """How to reach RabbitMQ: ``AMQP_URL`` and so on.

    Attributes:
        url: ``amqp://user:password@host:port/vhost``, or ``amqps://`` for TLS; its query may set what pika knows, but
            not ``ssl_options``: certificates are always checked.
        password: The password, where the URL has none: secrets are often given apart from addresses.
        ca_file: Certificates (PEM) of the authorities that may vouch for an ``amqps://`` server; the system's own where
            it is None.
        declare: Whether exchanges and queues are declared; False where a RabbitMQ that loads its definitions gives no
            account the right to.
        connect_timeout_s: Seconds within which a call that needs the broker must get through.
        close_timeout_s: Seconds that closing waits for confirms under way.
        heartbeat_s: Seconds after which a silent peer is given up.
        blocked_timeout_s: Seconds after which a connection that RabbitMQ blocks is given up and made anew. None for
            never: a new one would be blocked as well, and giving one up counts towards the delivery limit of what is
            in hand.
        reconnect_max_s: Longest pause between two attempts to reconnect, in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="AMQP_", frozen=True, hide_input_in_errors=True)

    url: SecretStr = SecretStr("amqp://guest:guest@localhost:5672/%2F")
    password: SecretStr | None = None
    ca_file: Path | None = None
    declare: bool = True
    connect_timeout_s: PositiveFloat = 30.0
    close_timeout_s: PositiveFloat = 10.0
    heartbeat_s: int = Field(default=30, ge=1)
    blocked_timeout_s: PositiveFloat | None = None
    reconnect_max_s: PositiveFloat = 15.0

    @model_validator(mode="after")
    def _check_url(self) -> Self:
        parts = urlsplit(self.url.get_secret_value())
        if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
            raise ValueError("AMQP_URL must look like amqp://user:password@host:5672/vhost")
        if "ssl_options" in parse_qs(parts.query):
            raise ValueError("AMQP_URL may not hold ssl_options; name the authority to trust in AMQP_CA_FILE")
        return self

    @property
    def full_url(self) -> str:
        """The URL with the password in it; a URL without a user keeps none."""
        parts = urlsplit(self.url.get_secret_value())
        if self.password is None or parts.username is None or parts.password is not None:
            return self.url.get_secret_value()
        user, _, place = parts.netloc.rpartition("@")
        netloc = f"{user.rstrip(':')}:{quote(self.password.get_secret_value(), safe='')}@{place}"
        return urlunsplit(parts._replace(netloc=netloc))
