"""A session's evidence as one file, and the same result again from it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from services.fusion.accumulate import Accumulator, contribution_of
from services.fusion.parameters import DEFAULT_PARAMETERS
from services.fusion.results import build_result
from services.fusion.schema import SessionResult
from services.fusion.speaker import SpeakerSums, speaker_sums_of
from services.fusion.state import Counts, Outcome, SessionState, TimelineBin
from shared.emotions import MODALITIES, Modality
from shared.errors import BadInputError
from shared.messages.base import SessionId
from shared.messages.score import ModalityScore, Status
from shared.messages.session import Purpose, SessionEnded, SessionStarted, UsualMood

_NO_TOKEN: Final = "0" * 64


class ExportedCounts(BaseModel):
    """What became of one modality's chunks; see :class:`services.fusion.state.Counts`."""

    model_config = ConfigDict(frozen=True)

    seen: int
    typed: int = 0
    outcomes: dict[Outcome, int]
    reasons: dict[str, int]
    models: dict[str, int]


class EvidenceExport(BaseModel):
    """All that a session's result stands on.

    Attributes:
        format: Names this shape.
        rule: The fusion rule that was in force: its version and a digest of its numbers.
        session_id: Which session.
        started_at: When it began.
        purpose: What it was for.
        modalities: What the person agreed to.
        baseline: Their usual mood, where they are compared with it.
        ended: Its length and what was published, or None where it goes on.
        counts: What became of the chunks by modality.
        evidence: The scores and abstentions, as ``GET /v1/sessions/{id}/evidence`` returns them.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["mien.evidence/1"] = "mien.evidence/1"
    rule: str
    session_id: SessionId
    started_at: AwareDatetime
    purpose: Purpose
    modalities: tuple[Modality, ...] = Field(min_length=1)
    baseline: UsualMood | None
    ended: SessionEnded | None
    counts: dict[Modality, ExportedCounts]
    evidence: tuple[ModalityScore, ...]


def export_of(state: SessionState, evidence: Sequence[ModalityScore]) -> EvidenceExport:
    """Return what a session's result stands on; neither its token nor any media is in it.

    Args:
        state: Its sums and counts.
        evidence: All of its scores.
    """
    started = state.started
    return EvidenceExport(
        rule=DEFAULT_PARAMETERS.rule,
        session_id=state.session_id,
        started_at=started.started_at,
        purpose=started.purpose,
        modalities=started.modalities,
        baseline=started.baseline,
        ended=state.ended,
        counts={modality: _exported(counts) for modality, counts in state.counts.items()},
        evidence=tuple(evidence),
    )


def read_export(text: str) -> EvidenceExport:
    """Return the export in a JSON text.

    Raises:
        BadInputError: If it is not one, or of another version of the fusion rule.
    """
    try:
        export = EvidenceExport.model_validate_json(text)
    except ValidationError as error:
        raise BadInputError(
            f"This is not an export of evidence ({error.error_count()} faults); "
            "make one with `mien analyze FILE --evidence EVIDENCE.json`."
        ) from None
    if export.rule != DEFAULT_PARAMETERS.rule:
        raise BadInputError(
            f"The evidence was fused by version {export.rule} of the rule and this is version "
            f"{DEFAULT_PARAMETERS.rule}; replay it with the Mien that made it."
        )
    return export


def replay(export: EvidenceExport) -> SessionResult:
    """Fuse exported evidence again, in one process and from nothing; the result is the same to the last digit.

    Raises:
        BadInputError: If scores are missing from the export, or were added to it.
    """
    scores = list({(score.modality, score.seq): score for score in export.evidence}.values())
    _check_complete(export, scores)
    totals: dict[Modality, Accumulator] = {}
    bins: dict[int, dict[Modality, Accumulator]] = {}
    for score in scores:
        contribution = contribution_of(score)
        for index, sums in contribution.bins.items():
            _add(bins.setdefault(index, {}), score.modality, sums)
        if contribution.bins:
            _add(totals, score.modality, contribution.total)
    timeline = [TimelineBin(index=index, sums=bins[index]) for index in sorted(bins)]
    speaker = sum(map(speaker_sums_of, scores), start=SpeakerSums())
    return build_result(replace(_state(export, totals), speaker=speaker), timeline, scores)


def _add(sums: dict[Modality, Accumulator], modality: Modality, added: Accumulator) -> None:
    sums[modality] = sums.get(modality, Accumulator()) + added


def _check_complete(export: EvidenceExport, scores: Sequence[ModalityScore]) -> None:
    for modality in MODALITIES:
        here = sum(score.modality is modality and score.status is Status.SCORED for score in scores)
        counts = export.counts.get(modality)
        scored = counts.outcomes.get(Outcome.SCORED, 0) if counts else 0
        if here != scored:
            raise BadInputError(f"The export counts {scored} scores of {modality} and holds {here}; export it again.")


def _state(export: EvidenceExport, totals: Mapping[Modality, Accumulator]) -> SessionState:
    started = SessionStarted(
        session_id=export.session_id,
        token_sha256=_NO_TOKEN,
        consent=True,
        purpose=export.purpose,
        modalities=export.modalities,
        agent_version="replay",
        started_at=export.started_at,
        baseline=export.baseline,
    )
    return SessionState(
        started=started,
        ended=export.ended,
        expires_at=export.started_at,
        sums=totals,
        counts={modality: _counts(counts) for modality, counts in export.counts.items()},
    )


def _exported(counts: Counts) -> ExportedCounts:
    return ExportedCounts(
        seen=counts.seen,
        typed=counts.typed,
        outcomes=dict(counts.outcomes),
        reasons=dict(counts.reasons),
        models=dict(counts.models),
    )


def _counts(counts: ExportedCounts) -> Counts:
    return Counts(
        seen=counts.seen,
        typed=counts.typed,
        outcomes=counts.outcomes,
        reasons=counts.reasons,
        models=counts.models,
    )
