"""Weights are what their manifest says, or a sentence says what to do."""

from pathlib import Path

import pytest

from shared.errors import WeightsError
from shared.weights import MANIFEST_NAME, Manifest, load_manifest, write_manifest

MANIFEST = Manifest(
    name="tiny",
    version="1",
    labels=("a", "b"),
    licence="Apache-2.0",
    data=("none",),
    command="true",
    seed=1,
    figures={},
    sha256={},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.tflite").write_bytes(b"weights")
    write_manifest(tmp_path, MANIFEST)
    return tmp_path


def test_sealed_weights_load(folder: Path) -> None:
    manifest = load_manifest(folder)
    assert (manifest.ref.name, manifest.ref.version) == ("tiny", "1")
    assert set(manifest.sha256) == {"tiny.tflite"}


def test_altered_weights_are_refused(folder: Path) -> None:
    (folder / "tiny.tflite").write_bytes(b"others")
    with pytest.raises(WeightsError, match=r"not the one.*git checkout"):
        load_manifest(folder)


def test_missing_weights_are_refused(folder: Path) -> None:
    (folder / "tiny.tflite").unlink()
    with pytest.raises(WeightsError, match=r"is missing.*train it again"):
        load_manifest(folder)


def test_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no"):
        load_manifest(tmp_path)


def test_damaged_manifest_is_refused(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_text("{}")
    with pytest.raises(WeightsError, match="not a manifest"):
        load_manifest(folder)


def test_a_file_in_place_of_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"tiny\.tflite/manifest\.json cannot be read \(Not a directory\)"):
        load_manifest(folder / "tiny.tflite")


def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).mkdir()
    with pytest.raises(WeightsError, match=r"manifest\.json cannot be read \(Is a directory\)"):
        load_manifest(tmp_path)
