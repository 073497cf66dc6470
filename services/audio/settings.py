"""The audio worker's settings, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AudioSettings(BaseSettings):
    """Settings of the audio worker.

    ``ASR_MODEL`` has no part in it: the head fits the encoder of tiny.en alone, whatever the text worker listens with.

    Attributes:
        audio_weights: Folder of the weights with their manifest.
        audio_threads: How many threads one call of the encoder or the head may use.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    audio_weights: Path = Path(__file__).parent / "weights"
    audio_threads: int = Field(default=2, ge=1)
