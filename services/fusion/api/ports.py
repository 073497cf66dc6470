"""What the HTTP API needs of the rest of the system beside the store; whoever composes the system gives it."""

from collections.abc import Callable
from typing import Protocol

from shared.messages.session import SessionStarted

OnProgress = Callable[[float, float | None], None]
"""Told the seconds of a recording that are read, and its length where it is known."""


class LiveInput(Protocol):
    """A session that is captured somewhere else and comes in piece by piece; one thread uses it at a time."""

    def hear(self, at_s: float, pcm: bytes) -> None:
        """Take the next sound, and where it begins, in seconds from the start; blocks where the workers are behind.

        Args:
            at_s: Later than the end of the sound before it where some was lost.
            pcm: 16 kHz mono, signed 16-bit little-endian.

        Raises:
            BadInputError: If it is not whole samples, or of no moment that a session could have.
        """

    def see(self, at_s: float, jpeg: bytes) -> None:
        """Take a picture of a moment, in seconds from the start.

        Raises:
            BadInputError: If it is not a JPEG that can be read, or of no moment that a session could have.
        """

    def end(self) -> None:
        """End the session: what was said so far is sent, and the account closed."""


class Ingest(Protocol):
    """Turns what comes over HTTP into chunks on the broker, as the agent does."""

    def recording(self, started: SessionStarted, media: bytes, on_progress: OnProgress) -> Callable[[], None]:
        """Open a recording in memory.

        Returns:
            What sends it, to its end, when called.

        Raises:
            BadInputError: If it is not media that can be read.
        """

    def live(self, started: SessionStarted) -> LiveInput:
        """Begin to take a session that happens now."""
