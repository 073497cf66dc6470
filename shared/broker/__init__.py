"""The broker port and its two adapters: RabbitMQ, and one in memory that keeps the same promises."""
