"""Every error that Mien raises on purpose. Each message is one sentence for the person who reads it."""


class MienError(Exception):
    """The root of the family: whatever Mien raises on purpose can be caught here."""


class BadInputError(MienError):
    """The input is not something that Mien can read; the message says why and what would work."""


class DeviceError(BadInputError):
    """A microphone or camera is not there or cannot be opened; the message says which, and which there are."""


class UndecodableMessageError(MienError):
    """A message is not ours, has a wrong field, or carries media that does not decode; it is dead-lettered."""


class WeightsError(MienError):
    """A weights file is missing or is not the one in its manifest; the message says how to get it back."""


class SettingsError(MienError):
    """A setting is missing or has a value that makes no sense; the message names it."""


class BrokerError(MienError):
    """The broker cannot be reached or refused what was asked of it."""


class PublishError(BrokerError):
    """The broker did not take a message: no queue is bound to its routing key, or it was refused."""


class UnroutableError(PublishError):
    """No queue takes a message; the account may publish to the exchange."""


class SessionError(MienError):
    """A session does not exist, has ended, or may not be used that way."""
