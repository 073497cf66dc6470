"""Settings of the text service, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TextSettings(BaseSettings):
    """Which models the text service uses.

    Attributes:
        asr_model: A CTranslate2 folder or a hub name of a Whisper model (``ASR_MODEL``); empty for tiny.en.
        text_weights: Folder of the emotion model's weights (``TEXT_WEIGHTS``).
        text_threads: Threads that one call may use (``TEXT_THREADS``).
        text_evidence: Whether each score says what every word did to it (``TEXT_EVIDENCE``).
    """

    model_config = SettingsConfigDict(extra="ignore")

    asr_model: str = ""
    text_weights: Path = Path(__file__).parent / "weights"
    text_threads: int = Field(default=2, ge=1)
    text_evidence: bool = True
