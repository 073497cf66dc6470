"""The broker port over RabbitMQ: one connection, served by one thread, that comes back by itself."""

from shared.broker.rabbitmq.broker import RabbitMqBroker

__all__ = ["RabbitMqBroker"]
