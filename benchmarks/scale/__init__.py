"""The whole system under load, over a real RabbitMQ and Redis: ``make bench AREA=scale``."""
