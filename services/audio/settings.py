"""The audio worker's settings, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings


class AudioSettings(Settings):
    """Settings of the audio worker; each is an environment variable ``AUDIO_…``.

    ``ASR_MODEL`` has no part in it: the head fits the encoder of tiny.en alone, whatever the text worker listens with.

    Attributes:
        weights: Folder of the weights with their manifest.
        threads: How many threads one call of the encoder or the head may use.
    """

    model_config = SettingsConfigDict(env_prefix="AUDIO_")

    weights: Path = Path(__file__).parent / "weights"
    threads: int = Field(default=2, ge=1)
