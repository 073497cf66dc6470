"""What the face worker can be told from outside, through the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FaceSettings(BaseSettings):
    """Settings of the face worker; each is an environment variable ``FACE_…``.

    Attributes:
        weights: ``FACE_WEIGHTS``: folder of the expression model and its manifest.
        threads: ``FACE_THREADS``: how many threads one model call may use.
    """

    model_config = SettingsConfigDict(env_prefix="FACE_")

    weights: Path = Path(__file__).parent / "weights"
    threads: int = Field(default=1, ge=1)
