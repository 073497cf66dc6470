"""In which language a text was typed: by its script and, where that is Latin, by py3langid."""

import unicodedata
from functools import cache
from typing import Final

from py3langid.langid import MODEL_FILE, LanguageIdentifier

ENGLISH: Final = "en"
LANGUAGES: Final = (
    *(ENGLISH, "ca", "cs", "da", "de", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "lt", "lv", "ms"),
    *("nl", "no", "pl", "pt", "ro", "sk", "sl", "sq", "sv", "tr", "vi"),
)
"""What a text in Latin script may be in. Without pidgins, dialects and Tagalog, for which slang and laughter pass."""

MIN_CONFIDENCE: Final = 0.65
"""How sure it must be of another language: English that is refused is worse than another language that is not."""


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code of a text's language: English unless another is sure, None in another script.

    The languages in Latin script are told apart by byte n-grams (langid.py, Lui and Baldwin 2012). Of few or mixed
    words nothing is sure, so that they are taken for English.
    """
    letters = [character for character in text if character.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN ") for letter in letters)
    if 2 * latin < len(letters):
        return None
    language, confidence = _identifier().classify(text)
    return str(language) if confidence > MIN_CONFIDENCE else ENGLISH


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
