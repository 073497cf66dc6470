"""What a session may be for. Pure."""

from typing import Final

from shared.messages.session import Purpose

REFUSED_PURPOSES: Final[frozenset[Purpose]] = frozenset({"education", "workplace"})


def refusal_of(purpose: Purpose) -> str | None:
    """Say why a purpose is refused; None where it is not."""
    if purpose not in REFUSED_PURPOSES:
        return None
    return (
        f"Inferring emotions for {purpose} purposes is prohibited in the EU (AI Act, Art. 5(1)(f)); "
        "only a medical or safety reason, stated as the purpose, is an exception."
    )
