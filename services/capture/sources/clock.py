"""The time of one media stream, mended where a file's timestamps are missing or leap. Pure."""

from typing import Final

_BACKWARD_LIMIT_S: Final = 1.0
_UNKNOWN_LENGTH_S: Final = 24 * 3600.0


class StreamClock:
    """Turns the timestamps of one stream into seconds from the start of the session.

    Args:
        origin_s: The timestamp at which the session starts.
        duration_s: Length of the recording, or None where it is unknown. A timestamp beyond it is not believed.
    """

    def __init__(self, origin_s: float, duration_s: float | None) -> None:
        self._shift_s = -origin_s
        self._limit_s = _UNKNOWN_LENGTH_S if duration_s is None else duration_s
        self._next_s = 0.0

    @property
    def reached_s(self) -> float:
        """Where the last thing placed ends, in seconds from the start of the session."""
        return self._next_s

    def believe_until(self, limit_s: float) -> None:
        """Believe from now on no timestamp beyond a moment, in seconds from the start of the session."""
        self._limit_s = limit_s

    def place(self, timestamp_s: float | None, length_s: float) -> float:
        """Return when something begins: at its timestamp, or after what came before it where that cannot be true.

        Args:
            timestamp_s: Its timestamp in seconds, or None.
            length_s: How long it lasts.
        """
        at_s = self._next_s if timestamp_s is None else timestamp_s + self._shift_s
        if at_s < self._next_s - _BACKWARD_LIMIT_S or at_s > max(self._limit_s, self._next_s):
            self._shift_s += self._next_s - at_s
            at_s = self._next_s
        self._next_s = at_s + length_s
        return at_s
