"""Weights that can be trusted: a manifest beside them says what they are and holds their SHA-256."""

import hashlib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import WeightsError
from shared.messages.score import ModelRef

MANIFEST_NAME: Final = "manifest.json"


class Manifest(BaseModel):
    """What a folder of weights holds.

    Attributes:
        name: Name of the model.
        version: Version of the weights.
        labels: Order of the model's output classes.
        licence: Terms under which the weights may be used.
        data: The data sets that they were trained on, each with its terms.
        command: The command that trained them.
        seed: Seed of that run.
        figures: What was measured on them as served, by name.
        sha256: SHA-256 (hex) of each file in the folder, by file name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    labels: tuple[str, ...]
    licence: str
    data: tuple[str, ...]
    command: str
    seed: int
    figures: dict[str, float]
    sha256: dict[str, str]

    @property
    def ref(self) -> ModelRef:
        """The name and version that every score carries."""
        return ModelRef(name=self.name, version=self.version)


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder of weights and check every file against it.

    Raises:
        WeightsError: If the manifest or a file is missing or cannot be read, or a file is not the one that the manifest
            names.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise WeightsError(f"There is no {path}. {_remedy(folder)}") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}); name a folder of weights.") from None
    except ValidationError as error:
        raise WeightsError(f"{path} is not a manifest ({error.error_count()} faults). {_remedy(folder)}") from None
    for name, expected in manifest.sha256.items():
        _check_file(folder / name, expected)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest with the SHA-256 of every other file in the folder as it is now."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_NAME)
    sealed = manifest.model_copy(update={"sha256": {name: _sha256(folder / name) for name in names}})
    (folder / MANIFEST_NAME).write_text(sealed.model_dump_json(indent=2) + "\n")


def _check_file(path: Path, expected: str) -> None:
    if not path.is_file():
        raise WeightsError(f"The weights file {path} is missing. {_remedy(path.parent)}")
    if _sha256(path) != expected:
        raise WeightsError(f"The weights file {path} is not the one that its manifest names. {_remedy(path.parent)}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remedy(folder: Path) -> str:
    return f"Restore it with `git checkout -- {folder}`, or train it again as the model card beside it says."
