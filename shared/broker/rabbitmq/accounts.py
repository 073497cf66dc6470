"""Who may do what at RabbitMQ: one account a role, with no right that its work does not need."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.emotions import Modality
from shared.messages.score import ModalityScore
from shared.topology import (
    DEAD_QUEUE,
    FUSION_QUEUE,
    MEDIA_EXCHANGE,
    MEDIA_QUEUES,
    RETRY_EXCHANGE,
    RETRY_KEYS,
    RETRY_QUEUES,
    SCORES_EXCHANGE,
    TOPOLOGY,
)

PROBE_KEY: Final = "doctor.check"
"""A routing key that no queue takes: publishing under it shows whether an account may, and reaches nobody."""

_NOTHING: Final = "^$"
_SALT_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one kind of process needs of RabbitMQ; none may declare or delete anything.

    Attributes:
        name: Its account is called ``mien-`` and this.
        publishes: Exchanges that it publishes to.
        keys: Routing keys that it may use there, or none for all.
        consumes: Queues that it consumes.
        looks_at: Queues whose length it may ask for. RabbitMQ from 4.2.6 on tells that only to who has some right on a
            queue; the right to write is the one that gives nothing else, for binding takes a right to read as well.
    """

    name: str
    publishes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    looks_at: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """The name of its account."""
        return f"mien-{self.name}"

    def permission(self, vhost: str) -> dict[str, str]:
        """Return its rights as RabbitMQ's definitions state them."""
        return {
            "user": self.account,
            "vhost": vhost,
            "configure": _NOTHING,
            "write": _any_of((*self.publishes, *self.looks_at)),
            "read": _any_of(self.consumes),
        }

    def topic_permissions(self, vhost: str) -> list[dict[str, str]]:
        """Return what it may write under which routing key, where that is bounded."""
        if not self.keys:
            return []
        write = _any_of((*self.keys, PROBE_KEY))
        return [
            {"user": self.account, "vhost": vhost, "exchange": exchange, "write": write, "read": _NOTHING}
            for exchange in self.publishes
        ]


_MEDIA_QUEUES: Final = tuple(MEDIA_QUEUES.values())

ROLES: Final[tuple[Role, ...]] = (
    Role(name="agent", publishes=(MEDIA_EXCHANGE,), looks_at=_MEDIA_QUEUES),
    *(
        Role(
            name=modality.value,
            publishes=(SCORES_EXCHANGE, RETRY_EXCHANGE),
            keys=(f"{ModalityScore.TYPE}.{modality}", RETRY_KEYS[modality]),
            consumes=(MEDIA_QUEUES[modality], RETRY_QUEUES[modality]),
        )
        for modality in Modality
    ),
    Role(name="fusion", publishes=(MEDIA_EXCHANGE,), consumes=(FUSION_QUEUE, DEAD_QUEUE), looks_at=_MEDIA_QUEUES),
    Role(name="observer", looks_at=tuple(queue.name for queue in TOPOLOGY.queues)),
)
"""Fusion also publishes: typed text, and what is uploaded. The observer is for autoscaling and ``mien top``."""


class Passwords(BaseSettings):
    """The password of each role's account, from ``MIEN_PASSWORD_`` and the role's name; at least 16 characters each."""

    model_config = SettingsConfigDict(env_prefix="MIEN_PASSWORD_", frozen=True, hide_input_in_errors=True)

    agent: SecretStr = Field(min_length=16)
    text: SecretStr = Field(min_length=16)
    audio: SecretStr = Field(min_length=16)
    face: SecretStr = Field(min_length=16)
    fusion: SecretStr = Field(min_length=16)
    observer: SecretStr = Field(min_length=16)


def users(passwords: Passwords) -> list[dict[str, Any]]:
    """Return the accounts as RabbitMQ's definitions state them; the passwords only as salted SHA-256."""
    secret_of: dict[str, SecretStr] = dict(passwords)
    return [
        {
            "name": role.account,
            "password_hash": password_hash(secret_of[role.name].get_secret_value()),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": [],
        }
        for role in ROLES
    ]


def password_hash(password: str, salt: bytes | None = None) -> str:
    """Return a password as RabbitMQ keeps it: base64 of a salt and the SHA-256 of salt and password.

    Source: https://www.rabbitmq.com/docs/passwords#computing-password-hash

    Args:
        password: The password.
        salt: Four bytes; random where None.
    """
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _any_of(names: tuple[str, ...]) -> str:
    return f"^({'|'.join(map(re.escape, names))})$" if names else _NOTHING
