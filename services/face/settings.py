"""The face worker's settings, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings


class FaceSettings(Settings):
    """Settings of the face worker; each is an environment variable ``FACE_…``.

    Attributes:
        weights: Folder of the expression model and its manifest.
        threads: How many threads one model call may use.
    """

    model_config = SettingsConfigDict(env_prefix="FACE_")

    weights: Path = Path(__file__).parent / "weights"
    threads: int = Field(default=1, ge=1)
