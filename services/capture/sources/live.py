"""What every source of what happens now has in common."""


class LiveSource:
    """Nobody knows how long it will be; see :class:`~services.capture.sources.port.Source`.

    Args:
        has_audio: Whether it gives sound.
        has_video: Whether it gives frames.
    """

    duration_s: float | None = None

    def __init__(self, *, has_audio: bool, has_video: bool) -> None:
        self._has_audio = has_audio
        self._has_video = has_video

    @property
    def has_audio(self) -> bool:
        """Whether it gives sound."""
        return self._has_audio

    @property
    def has_video(self) -> bool:
        """Whether it gives frames."""
        return self._has_video

    @property
    def problem(self) -> str | None:
        """Nothing that would go by again."""
        return None
