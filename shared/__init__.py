"""What every Mien service stands on: the emotions, the messages, the broker port, the worker and the weights."""

__version__ = "0.1.0"
