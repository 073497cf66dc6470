"""What a RabbitMQ loads at deployment: the topology, its limits, and the rights of every role.

``python -m shared.broker.rabbitmq.definitions`` prints it with the accounts, whose passwords come from the environment
(:class:`~shared.broker.rabbitmq.accounts.Passwords`); with ``--without-accounts``, as it is kept in
``deploy/rabbitmq/definitions.json``.
"""

import argparse
import json
import sys
from typing import Any, Final

from pydantic import ValidationError

from shared.broker.rabbitmq.accounts import ROLES, Passwords, users
from shared.broker.rabbitmq.channels import arguments_of
from shared.topology import DEAD_QUEUE, FUSION_QUEUE, MEDIA_QUEUES, RETRY_QUEUES, TOPOLOGY, Queue, QueueKind

MAX_WAITING_BYTES: Final = 4 * 2**30
"""Media that may wait in one quorum queue; past it the sender is told no, before the broker's disk is full."""

MAX_DEAD_BYTES: Final = 2**30

_NEVER_LOST: Final = {"overflow": "reject-publish", "dead-letter-strategy": "at-least-once"}
"""A quorum queue keeps what died until the dead letters' queue has it; that needs publishes refused, not drops."""


def definitions(passwords: Passwords | None = None, vhost: str = "/") -> dict[str, Any]:
    """Return RabbitMQ's definitions.

    Args:
        passwords: Of the accounts; None leaves the accounts out, but not their rights.
        vhost: The virtual host that all of it is in.
    """
    accounts = {} if passwords is None else {"users": users(passwords)}
    return {
        **accounts,
        "vhosts": [{"name": vhost}],
        "permissions": [role.permission(vhost) for role in ROLES],
        "topic_permissions": [each for role in ROLES for each in role.topic_permissions(vhost)],
        "policies": policies(vhost),
        "exchanges": [
            {"name": name, "vhost": vhost, "type": "topic", "durable": True, "auto_delete": False, "internal": False,
             "arguments": {}}
            for name in TOPOLOGY.exchanges
        ],
        "queues": [_queue(queue, vhost) for queue in TOPOLOGY.queues],
        "bindings": [binding for queue in TOPOLOGY.queues for binding in _bindings(queue, vhost)],
    }  # fmt: skip


def policies(vhost: str) -> list[dict[str, Any]]:
    """Return the limits that an operator may change without a new queue; one policy at most applies to a queue."""
    quorum = {queue.name for queue in TOPOLOGY.queues if queue.kind is QueueKind.QUORUM}
    speech = sorted(quorum & set(MEDIA_QUEUES.values()))
    bounded = {**_NEVER_LOST, "max-length-bytes": MAX_WAITING_BYTES}
    return [
        _policy(vhost, "mien-speech", speech, bounded),
        _policy(vhost, "mien-retry", sorted(RETRY_QUEUES.values()), bounded),
        _policy(vhost, "mien-scores", [FUSION_QUEUE], _NEVER_LOST),
        _policy(vhost, "mien-dead", [DEAD_QUEUE], {"overflow": "reject-publish", "max-length-bytes": MAX_DEAD_BYTES}),
    ]


def main() -> int:
    """Print the definitions, and return the exit code."""
    parser = argparse.ArgumentParser(description="Print RabbitMQ's definitions for Mien.")
    parser.add_argument("--without-accounts", action="store_true", help="leave out the accounts and their passwords")
    try:
        passwords = None if parser.parse_args().without_accounts else Passwords()
    except ValidationError as error:
        names = ", ".join(f"MIEN_PASSWORD_{str(fault['loc'][0]).upper()}" for fault in error.errors())
        sys.stderr.write(f"Set {names} to passwords of at least 16 characters each.\n")
        return 1
    sys.stdout.write(json.dumps(definitions(passwords), indent=2) + "\n")
    return 0


def _policy(vhost: str, name: str, queues: list[str], definition: dict[str, Any]) -> dict[str, Any]:
    pattern = f"^({'|'.join(queue.replace('.', '[.]') for queue in queues)})$"
    return {
        "vhost": vhost, "name": name, "pattern": pattern, "apply-to": "queues", "priority": 0, "definition": definition,
    }  # fmt: skip


def _queue(queue: Queue, vhost: str) -> dict[str, Any]:
    return {
        "name": queue.name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": arguments_of(queue),
    }  # fmt: skip


def _bindings(queue: Queue, vhost: str) -> list[dict[str, Any]]:
    return [
        {
            "source": binding.exchange,
            "vhost": vhost,
            "destination": queue.name,
            "destination_type": "queue",
            "routing_key": binding.pattern,
            "arguments": {},
        }
        for binding in queue.bindings
    ]


if __name__ == "__main__":
    sys.exit(main())
