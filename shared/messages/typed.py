"""A typed text on its way to the text workers."""

from typing import ClassVar, Final, Self

from pydantic import AwareDatetime, Field, model_validator

from shared.errors import UndecodableMessageError
from shared.messages.base import MediaContract, Seconds, Seq

MAX_TYPED_CHARACTERS: Final = 10_000
FIRST_TYPED_SEQ: Final = 2**52
"""Typed texts count from here, so that none has the ``seq`` of a spoken one."""

SPEAKING_RATE_WPM: Final = 150
"""Words a minute in conversation; a typed text weighs as much as if it had been said."""


class TypedText(MediaContract):
    """Words that a person typed: plain text, UTF-8, at most :data:`MAX_TYPED_CHARACTERS`.

    Attributes:
        seq: Counts the session's typed texts from :data:`FIRST_TYPED_SEQ`.
        start_s: When it was typed, in seconds from the start of the session.
        end_s: When it would end, had it been said.
        captured_at: When it was typed.
    """

    TYPE: ClassVar[str] = "typed.text"
    CONTENT_TYPE: ClassVar[str] = "text/plain; charset=utf-8"

    media: bytes = Field(min_length=1, max_length=4 * MAX_TYPED_CHARACTERS, exclude=True)
    seq: Seq
    start_s: Seconds
    end_s: Seconds
    captured_at: AwareDatetime

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.end_s < self.start_s:
            raise ValueError("a typed text ends after it begins")
        return self

    @property
    def text(self) -> str:
        """The words.

        Raises:
            UndecodableMessageError: If they are not UTF-8, or too long.
        """
        try:
            text = self.media.decode()
        except UnicodeDecodeError:
            raise UndecodableMessageError("the typed text is not UTF-8") from None
        if len(text) > MAX_TYPED_CHARACTERS:
            raise UndecodableMessageError(f"a typed text has at most {MAX_TYPED_CHARACTERS} characters")
        return text


def spoken_s(text: str) -> float:
    """Return how many seconds it would take to say a text: at least 1, at most 30."""
    return min(30.0, max(1.0, len(text.split()) * 60 / SPEAKING_RATE_WPM))
