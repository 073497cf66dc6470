"""The text worker's settings, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings


class TextSettings(Settings):
    """Settings of the text worker; each but ``ASR_MODEL`` is an environment variable ``TEXT_…``.

    Attributes:
        asr_model: A CTranslate2 folder or a hub name of a Whisper model (``ASR_MODEL``); empty for tiny.en.
        weights: Folder of the emotion model's weights.
        threads: How many threads one call may use.
        evidence: Whether each score says what every word did to it.
    """

    model_config = SettingsConfigDict(env_prefix="TEXT_")

    asr_model: str = Field(default="", validation_alias="ASR_MODEL")
    weights: Path = Path(__file__).parent / "weights"
    threads: int = Field(default=2, ge=1)
    evidence: bool = True
