"""What a person names on the command line, and what cannot be read of it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.cli.analyze import Outputs, analyze_file
from services.cli.calibrate import calibrate_file
from services.cli.explain_audio import explain_audio
from services.cli.inputs import read_image, read_lines
from services.cli.report import check_outputs, check_writable
from services.cli.score import annotate_face
from shared.emotions import MODALITIES
from shared.errors import BadInputError
from shared.media.jpeg import encode_jpeg


def test_a_line_ends_where_a_line_of_a_file_ends_and_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes("one\u2028still one\x0cand one\r\ntwo\n\nfour".encode())
    assert list(read_lines(path)) == ["one\u2028still one\x0cand one", "two", "", "four"]


def test_a_picture_whose_header_claims_too_much_cannot_be_read(tmp_path: Path) -> None:
    bomb = bytearray(encode_jpeg(np.zeros((64, 64, 3), dtype=np.uint8)))
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = (50_000).to_bytes(2) + (50_000).to_bytes(2)
    path = tmp_path / "bomb.jpg"
    path.write_bytes(bomb)
    with pytest.raises(BadInputError, match=r"bomb\.jpg is not a picture that can be read"):
        read_image(path)


def test_a_picture_that_cannot_even_be_looked_for_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInputError, match=r"cannot be read \(File name too long\)"):
        read_image(Path("x" * 300))


def test_an_output_that_cannot_even_be_looked_for_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInputError, match="cannot be written"):
        check_writable(Path("x" * 300), "report")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_folder_that_may_not_be_entered_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0)
    with pytest.raises(BadInputError, match="cannot be written"):
        check_writable(folder / "report.html", "report")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_image(folder / "face.jpg")


def test_an_output_never_takes_the_place_of_what_is_read_or_of_another_output(tmp_path: Path) -> None:
    file, link = tmp_path / "talk.wav", tmp_path / "other.wav"
    file.touch()
    link.hardlink_to(file)
    for same in (file, tmp_path / "." / "talk.wav", link):
        with pytest.raises(BadInputError, match="place of the file that is read"):
            check_outputs(file, {"report": same})
    with pytest.raises(BadInputError, match="place of the report"):
        check_outputs(file, {"report": tmp_path / "out", "evidence": tmp_path / "out"})
    check_outputs(file, {"report": tmp_path / "out", "evidence": None, "plot": tmp_path / "more"})


def test_nothing_is_read_where_an_output_would_take_the_place_of_the_input(tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    file.touch()  # empty: whoever reads it says so instead
    commands: list[Callable[[], object]] = [
        lambda: analyze_file(file, Outputs(report=file), MODALITIES, 5.0),
        lambda: calibrate_file(file, file, consent=True, fps=5.0),
        lambda: annotate_face(file, file),
        lambda: explain_audio(file, file),
    ]
    for command in commands:
        with pytest.raises(BadInputError, match="place of the file that is read"):
            command()
