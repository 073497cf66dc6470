"""What can go wrong with a connection or a channel, in one sentence for the person who reads it."""

from concurrent.futures import Future
from ssl import SSLCertVerificationError
from typing import TypeVar

from pika.exceptions import (
    AuthenticationError,
    ChannelClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from shared.errors import BrokerError

T = TypeVar("T")


class LostError(BrokerError):
    """The connection was lost before the broker answered."""


class Answer(Future[T]):
    """A future whose second settlement has no effect, for the answer and the loss of a channel may both come."""

    def give(self, value: T) -> None:
        """Settle with a value."""
        if not self.done():
            self.set_result(value)

    def follow(self, other: Future[T]) -> None:
        """Settle as another future did."""
        error = other.exception()
        if error is None:
            self.give(other.result())
        else:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Settle with an error."""
        if not self.done():
            self.set_exception(error)


def root_cause(error: BaseException | None) -> BaseException | None:
    """Return what lies under the layers in which pika wraps a failed attempt to connect."""
    while error is not None:
        inner = getattr(error, "exceptions", None) or [
            getattr(error, "exception", None) or next(iter(error.args), None)
        ]
        if not isinstance(inner[-1], BaseException):
            return error
        error = inner[-1]
    return None


def is_final(error: BaseException) -> bool:
    """Say whether trying again makes no sense: the broker does not let us in, or does not prove who it is."""
    refusals = (
        AuthenticationError, ProbableAuthenticationError, ProbableAccessDeniedError, SSLCertVerificationError,
    )  # fmt: skip
    return isinstance(root_cause(error), refusals)


def explain(error: BaseException | None, address: str) -> str:
    """Return why there is no connection and what to do; never with the password."""
    cause = root_cause(error)
    if isinstance(cause, AuthenticationError | ProbableAuthenticationError):
        return f"RabbitMQ at {address} refuses the user name or the password; check AMQP_URL"
    if isinstance(cause, ProbableAccessDeniedError):
        return f"RabbitMQ at {address} refuses the virtual host; check the path of AMQP_URL"
    if isinstance(cause, SSLCertVerificationError):
        return (
            f"RabbitMQ at {address} does not prove who it is ({cause.verify_message.rstrip('.')}); "
            "nothing was sent: name the authority to trust in AMQP_CA_FILE, or correct the host in AMQP_URL"
        )
    reason = "" if cause is None else f" ({type(cause).__name__})"
    return f"cannot reach RabbitMQ at {address}{reason}; is it running there? Start it or set AMQP_URL"


def refusal(reason: BaseException) -> BrokerError:
    """Return the error for a channel that was closed: what the broker said, or that the connection was lost."""
    if isinstance(reason, ChannelClosedByBroker):
        return BrokerError(f"RabbitMQ refuses: {reason.reply_text}")
    return LostError("the connection was lost")
