"""Single words that people rated, and first names of many countries; both are read from packages."""

import re
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import textblob
import vaderSentiment
from faker import Faker

from services.text.training.behaviour import HELD_OUT

MIDDLE: Final = 3.0
TELLING: Final = 0.7
"""How far from the middle of the scale a word lies that tells of a mood."""

NAMES: Final = 2000
_LOCALES: Final = (
    *("en_US", "en_GB", "en_IN", "en_KE", "en_NG", "en_PK", "de_DE", "fr_FR", "es_MX", "it_IT", "pl_PL", "pt_BR"),
    *("tr_TR", "ro_RO", "sv_SE", "hr_HR", "zu_ZA", "yo_NG", "tw_GH", "id_ID", "az_AZ", "ga_IE"),
)
_ROMANISED: Final = ("ja_JP", "zh_CN")
_ADJECTIVE: Final = re.compile("(ous|ful|less|able|ible)$")
_WORD: Final = re.compile("[a-z]{3,}")


@cache
def rated_words() -> dict[str, float]:
    """Return the words of VADER's lexicon (Hutto and Gilbert 2014; ten raters a word) with their valence, 1..5.

    Words that the behaviour is measured with are left out.
    """
    path = Path(vaderSentiment.__file__).with_name("vader_lexicon.txt")
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {row[0]: MIDDLE + float(row[1]) / 2 for row in rows if _WORD.fullmatch(row[0]) and row[0] not in HELD_OUT}


@cache
def rated_adjectives() -> dict[str, float]:
    """Return those of the rated words that are adjectives: by TextBlob's lexicon, and nothing else, or by their end."""
    path = Path(textblob.__file__).parent / "en" / "en-sentiment.xml"
    kinds: dict[str, set[str]] = {}
    for word in ET.parse(path).getroot().iter("word"):  # noqa: S314  (a file of an installed package)
        kinds.setdefault(word.get("form", ""), set()).add(word.get("pos", ""))
    words = rated_words().items()
    return {word: valence for word, valence in words if kinds.get(word) == {"JJ"} or _ADJECTIVE.search(word)}


@cache
def telling_words() -> tuple[str, ...]:
    """Return the rated words that are far from the middle."""
    return tuple(word for word, valence in rated_words().items() if abs(valence - MIDDLE) > TELLING)


@cache
def first_names() -> tuple[str, ...]:
    """Return first names of many countries, in lower case, but for those that the behaviour is measured with."""
    written, romanised = Faker(list(_LOCALES), use_weighting=False), Faker(list(_ROMANISED))
    for fake in (written, romanised):
        fake.seed_instance(3)
    drawn = [written.first_name() for _ in range(NAMES)] + [
        romanised.first_romanized_name() for _ in range(NAMES // 10)
    ]
    names = {name.lower() for name in drawn if name.isascii() and name.isalpha()}
    return tuple(sorted(names - HELD_OUT))
