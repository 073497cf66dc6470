"""Texts out of packages: read as they are written there, without what other corpora measure by."""

from pathlib import Path

import pytest

from services.text.training.packaged import BROWN_WORDS, SNIPPETS, brown, read_packaged, snippets
from shared.errors import BadInputError

BROWN = """

\tHe/pps was/bedz very/ql glad/jj ;/. ;/.

\t``/`` No/rb ''/'' ,/, said/vbd the/at man/nn-hl ./.
\tYes/rb ./.
"""


def _corpora(folder: Path) -> Path:
    (folder / "emobank.csv").write_text("id,split,V,A,D,text\n1,dev,3,3,3,The garden is large\n2,train,3,3,3,Unused\n")
    for split, text in (("dev", "a film that nobody will ever want to see"), ("test", "so good")):
        (folder / f"sst5_{split}.tsv").write_text(f"label\tlabel_1to5\ttext\n1\t2\t{text}\n")
    return folder


def _rated(folder: Path, rows: str) -> Path:
    folder.mkdir()
    for name in SNIPPETS:
        (folder / f"{name}_GroundTruth.txt").write_text("", encoding="utf-8")
    (folder / f"{SNIPPETS[-1]}_GroundTruth.txt").write_text(rows, encoding="utf-8")
    return folder


def test_a_rating_becomes_a_valence_within_the_scale(tmp_path: Path) -> None:
    read = snippets(
        _rated(tmp_path / "snippets", "1\t0.0\tIt is.\r\n2\t-1.0\tIt was not.\r\n3\t3.9\tIt is the best!\r\n")
    )
    assert [(example.text, example.valence) for example in read] == [
        ("It is.", 3.0),
        ("It was not.", pytest.approx(2.38)),
        ("It is the best!", 5.0),
    ]


def test_sentences_of_brown_lose_their_tags_and_doubled_marks(tmp_path: Path) -> None:
    (tmp_path / "ck01").write_text(BROWN, encoding="latin-1")
    (tmp_path / "README").write_text("not/nn a/at text/nn of/in it/ppo", encoding="latin-1")
    read = brown(tmp_path)
    assert [example.text for example in read] == ["He was very glad;", "No, said the man."], f"of {BROWN_WORDS} words"
    assert all(example.valence is None and example.emotions is None for example in read)


def test_what_others_are_measured_by_is_left_out(tmp_path: Path) -> None:
    rows = "1\t1\tA film that nobody will, ever!\n2\t1\tSo good\n3\t1\tso good it is\n4\t1\tThe GARDEN is large.\n"
    _rated(tmp_path / "snippets", rows)
    read = read_packaged("snippets", tmp_path, _corpora(tmp_path))
    assert [example.text for example in read] == ["so good it is"]


def test_the_treebank_s_parted_words_are_the_same_words(tmp_path: Path) -> None:
    corpora = _corpora(tmp_path)
    (tmp_path / "sst5_test.tsv").write_text("label\tlabel_1to5\ttext\n1\t2\tDo n't waste your money , it 's bad .\n")
    _rated(tmp_path / "snippets", "1\t-3\tDon't waste your money, it's bad.\n2\t2\tDon\u2019t worry, it\u2019s fine.\n")
    read = read_packaged("snippets", tmp_path, corpora)
    assert [example.text for example in read] == ["Don\u2019t worry, it\u2019s fine."]


@pytest.mark.parametrize("reader", [snippets, brown])
def test_a_missing_package_says_what_to_do(reader: object, tmp_path: Path) -> None:
    assert callable(reader)
    with pytest.raises(BadInputError, match="make train"):
        reader(tmp_path)
