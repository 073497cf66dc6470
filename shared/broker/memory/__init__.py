"""A broker in memory that keeps RabbitMQ's promises to everyone in one process."""

from shared.broker.memory.broker import MemoryBroker
from shared.broker.memory.server import MemoryServer

__all__ = ["MemoryBroker", "MemoryServer"]
