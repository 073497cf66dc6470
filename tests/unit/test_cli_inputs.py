"""What a person names on the command line, and what cannot be read of it."""

from pathlib import Path

import numpy as np
import pytest

from services.cli.inputs import read_image, read_lines
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
