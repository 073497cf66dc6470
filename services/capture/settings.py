"""How the agent cuts and sends, from the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings


class CaptureSettings(Settings):
    """Settings of the agent; each may be set as ``CAPTURE_`` and its name in upper case.

    Attributes:
        pause_s: Silence that ends an utterance, in seconds.
        max_chunk_s: Greatest length of an utterance, in seconds.
        max_outstanding: Messages sent and not yet confirmed, at most.
        confirm_timeout_s: Seconds without any confirm after which a recording, or the end of a live session, gives up.
        keep_minutes: Minutes of live speech kept in memory while the broker is away or slow.
        keep_frames: Live frames kept meanwhile.
        still_s: Seconds after which a live frame is sent although nothing has changed in it.
        max_waiting: Messages of a recording that may wait in a queue before the agent waits too.
        depth_every: Messages after which the queues are looked at again; the bound may be passed by that many.
    """

    model_config = SettingsConfigDict(env_prefix="CAPTURE_")

    pause_s: float = Field(default=0.5, ge=0.2, le=1.0)
    max_chunk_s: float = Field(default=10.0, ge=4.0, le=28.0)
    max_outstanding: int = Field(default=64, ge=1, le=10_000)
    confirm_timeout_s: float = Field(default=30.0, gt=0)
    keep_minutes: float = Field(default=20.0, gt=0, le=600)
    keep_frames: int = Field(default=50, ge=1, le=2_000)
    still_s: float = Field(default=1.0, gt=0, le=10)
    max_waiting: int = Field(default=300, ge=1, le=1_500)
    depth_every: int = Field(default=25, ge=1, le=250)
