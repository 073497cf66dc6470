"""What the counters of a session say."""

from collections.abc import Mapping

from services.fusion.state import Counts, Outcome
from shared.emotions import MODALITIES, Modality


def counts_from(counters: Mapping[str, str]) -> dict[Modality, Counts]:
    """Return what became of the chunks by modality, from the hash that the scripts keep."""
    found: dict[Modality, dict[str, dict[str, int]]] = {
        m: {"outcome": {}, "reason": {}, "model": {}} for m in MODALITIES
    }
    seen, typed = dict.fromkeys(MODALITIES, 0), dict.fromkeys(MODALITIES, 0)
    for name, text in counters.items():
        modality_name, _, rest = name.partition(":")
        kind, _, detail = rest.partition(":")
        modality, count = Modality(modality_name), int(text)
        if kind == "seen":
            seen[modality] = count
        elif kind == "typed":
            typed[modality] = count
        elif count:
            found[modality][kind if detail else "outcome"][detail or kind] = count
    return {
        modality: Counts(
            seen=seen[modality],
            typed=typed[modality],
            outcomes={Outcome(name): count for name, count in kinds["outcome"].items()},
            reasons=kinds["reason"],
            models=kinds["model"],
        )
        for modality, kinds in found.items()
    }
