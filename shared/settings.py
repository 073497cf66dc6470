"""Settings, each from the environment; those that several services share stand here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, parse_qs, quote, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, PositiveFloat, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import SettingsError

LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)]


class Settings(BaseSettings):
    """Settings that stay as they are, each in the variable of its name in upper case behind the prefix of its class.

    Raises:
        SettingsError: If one has a value that makes no sense; nothing of the value is quoted, for it may be a secret.
    """

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True, populate_by_name=True)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401  (whatever the fields take)
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(f"A setting is wrong: {'; '.join(self._faults(error))}.") from None

    @classmethod
    def _faults(cls, error: ValidationError) -> Iterator[str]:
        for fault in error.errors(include_url=False, include_input=False):
            name = str(fault["loc"][0])
            variable = cls.model_config["env_prefix"] + name if name in cls.model_fields else name
            yield f"{variable.upper()}: {fault.get('ctx', {}).get('error', fault['msg'])}"


class WorkerSettings(Settings):
    """How a worker process runs: ``WORKER_BATCH_SIZE`` and so on.

    Attributes:
        batch_size: Most messages judged together.
        health_host: Address of ``/healthz`` and ``/readyz``.
        health_port: Their port; 0 takes a free one.
        hang_s: Seconds that a batch may take. A worker that takes longer hangs: it says so at ``/healthz`` and
            ends, so that what it has in hand goes to another. A batch that is merely slow must stay far below it.
        nice: How far it gives way to other processes of its machine, as ``nice`` has it: 0 (not at all) to 19.
        log_level: The least severe level that is logged (``LOG_LEVEL``).
    """

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    batch_size: int = Field(default=8, ge=1, le=256)
    health_host: str = "127.0.0.1"
    health_port: int = Field(default=0, ge=0, le=65535)
    hang_s: PositiveFloat = 600.0
    nice: int = Field(default=0, ge=0, le=19)
    log_level: LogLevel = Field(default="INFO", validation_alias="LOG_LEVEL")


class BrokerSettings(Settings):
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

    model_config = SettingsConfigDict(env_prefix="AMQP_")

    url: SecretStr = SecretStr("amqp://guest:guest@localhost:5672/%2F")
    password: SecretStr | None = None
    ca_file: Path | None = None
    declare: bool = True
    connect_timeout_s: PositiveFloat = 30.0
    close_timeout_s: PositiveFloat = 10.0
    heartbeat_s: int = Field(default=30, ge=1)
    blocked_timeout_s: PositiveFloat | None = None
    reconnect_max_s: PositiveFloat = 15.0

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        parts = split_url(url.get_secret_value())
        if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
            raise ValueError("it must look like amqp://user:password@host:5672/vhost")
        if "ssl_options" in parse_qs(parts.query):
            raise ValueError("it may not hold ssl_options; name the authority to trust in AMQP_CA_FILE")
        return url

    @property
    def full_url(self) -> str:
        """The URL with the password in it; a URL without a user keeps none."""
        parts = urlsplit(self.url.get_secret_value())
        if self.password is None or parts.username is None or parts.password is not None:
            return self.url.get_secret_value()
        user, _, place = parts.netloc.rpartition("@")
        netloc = f"{user.rstrip(':')}:{quote(self.password.get_secret_value(), safe='')}@{place}"
        return urlunsplit(parts._replace(netloc=netloc))


def split_url(url: str) -> SplitResult:
    """Split the URL of a server.

    Raises:
        ValueError: If its port cannot be, or it falls apart at a character of its password; nothing of it is quoted.
    """
    try:
        parts = urlsplit(url)
        falls_apart = parts.port == 0 or parts.fragment or (parts.netloc and "@" in parts.path + parts.query)
    except ValueError:
        falls_apart = True
    if falls_apart:
        raise ValueError(
            "its port must be 1 to 65535, and in a password / must be written %2F, ? %3F, # %23, @ %40 and [ %5B"
        )
    return parts
