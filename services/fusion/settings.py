"""Settings of the fusion service; each comes from the environment under its own name."""

from ipaddress import IPv4Network
from typing import Annotated
from urllib.parse import parse_qs

from pydantic import Field, FilePath, IPvAnyNetwork, PositiveFloat, SecretStr, StringConstraints, field_validator
from pydantic_settings import NoDecode

from shared.settings import LogLevel, Settings, split_url

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", to_lower=True, strip_whitespace=True)]


class FusionSettings(Settings):
    """How the fusion service runs.

    Attributes:
        redis_url: Where sessions are kept; ``rediss://`` for TLS.
        redis_ca_file: Certificates (PEM) of the authorities that may vouch for it; the system's own where it is None.
        fusion_host: Address of the HTTP API; loopback unless set.
        fusion_port: Its port; 0 takes a free one.
        fusion_tls_cert_file: Certificate chain (PEM) of the HTTP API, which then speaks HTTPS alone.
        fusion_tls_key_file: Its private key (PEM); None where it is in the same file.
        fusion_api_keys: SHA-256 (hex) of the keys that may create sessions, with commas between; none opens it to
            everybody who can reach it.
        fusion_rate: Requests a second that one token, key or address may send; twice as many at once.
        fusion_guess_rate: Wrong tokens a second that one address may send; ten times as many at once.
        fusion_max_sessions: Sessions that one key may have going on at once; where no keys are set, everybody together.
        fusion_max_media_mb: Greatest recording that may be uploaded, in MB; it is held in memory.
        fusion_heartbeat_s: Seconds after which a quiet event stream says that it lives.
        fusion_trusted_proxies: Networks of the proxies whose X-Forwarded-For is believed, with commas between.
        fusion_cors_origins: Origins of other sites whose pages may call the API, with commas between; none by default.
        log_level: The least severe level that is logged.
    """

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    redis_ca_file: FilePath | None = None
    fusion_host: str = "127.0.0.1"
    fusion_port: int = Field(default=8000, ge=0, le=65535)
    fusion_tls_cert_file: FilePath | None = None
    fusion_tls_key_file: FilePath | None = None
    fusion_api_keys: Annotated[tuple[Sha256, ...], NoDecode] = ()
    fusion_rate: PositiveFloat = 50.0
    fusion_guess_rate: PositiveFloat = 2.0
    fusion_max_sessions: int = Field(default=1000, ge=1)
    fusion_max_media_mb: int = Field(default=100, ge=1, le=2000)
    fusion_heartbeat_s: PositiveFloat = 15.0
    fusion_trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = (IPv4Network("127.0.0.1"),)
    fusion_cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    log_level: LogLevel = "INFO"

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("it must look like redis://host:6379/0")
        if any(name.startswith("ssl_") for name in parse_qs(split_url(url.get_secret_value()).query)):
            raise ValueError("it may not hold settings of TLS; name the authority to trust in REDIS_CA_FILE")
        return url

    @field_validator("fusion_api_keys", "fusion_trusted_proxies", "fusion_cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
