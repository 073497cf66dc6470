"""A result is built from the store's reads alone."""

from datetime import UTC, datetime

from services.fusion.accumulate import Accumulator, contribution_of
from services.fusion.results import build_result
from services.fusion.state import Counts, Outcome, Phase, SessionState, TimelineBin
from shared.emotions import EMOTIONS, Emotion, Modality, as_mapping, mood_of
from shared.messages.details import TextDetails
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded, SessionStarted

SESSION = "session-0001"
HAPPY = [0.7 if emotion is Emotion.JOY else 0.05 for emotion in EMOTIONS]


def state(
    sums: dict[Modality, Accumulator],
    counts: dict[Modality, Counts],
    modalities: tuple[Modality, ...] = (Modality.TEXT, Modality.AUDIO),
    ended: SessionEnded | None = None,
) -> SessionState:
    started = SessionStarted(
        session_id=SESSION,
        token_sha256="0" * 64,
        consent=True,
        purpose="personal",
        modalities=modalities,
        agent_version="test",
        started_at=datetime.now(UTC),
    )
    return SessionState(started=started, ended=ended, expires_at=datetime.now(UTC), sums=sums, counts=counts)


def said(words: str, seq: int, start_s: float) -> ModalityScore:
    return ModalityScore(
        session_id=SESSION,
        modality=Modality.TEXT,
        seq=seq,
        start_s=start_s,
        end_s=start_s + 2,
        status=Status.SCORED,
        mood=float(mood_of(HAPPY)),
        distribution=as_mapping(HAPPY),
        quality=0.9,
        details=TextDetails(transcript=words),
        model=ModelRef(name="mien-text", version="1"),
    )


def test_a_result_shows_what_each_modality_says_and_how_much_it_counts() -> None:
    scores = [said("what a day", 0, 0.0), said("at last", 1, 3.0)]
    total = sum((contribution_of(score).total for score in scores), start=Accumulator())
    bins = [
        TimelineBin(index=index, sums={Modality.TEXT: sums})
        for score in scores
        for index, sums in contribution_of(score).bins.items()
    ]
    counts = {
        Modality.TEXT: Counts(seen=2, outcomes={Outcome.SCORED: 2}, models={"mien-text 1": 2}),
        Modality.AUDIO: Counts(seen=2, outcomes={Outcome.ABSTAINED: 2}, reasons={"too_quiet": 2}),
    }
    ended = SessionEnded(session_id=SESSION, duration_s=5, speech_chunks=2, frames=0)
    result = build_result(state({Modality.TEXT: total}, counts, ended=ended), bins, scores)
    assert result.status is Phase.COMPLETE
    assert result.mood is not None
    assert result.mood.low <= result.mood.score <= result.mood.high
    assert result.modalities[Modality.TEXT].weight == 1
    assert result.modalities[Modality.AUDIO].weight == 0
    assert result.modalities[Modality.AUDIO].mood is None
    assert result.modalities[Modality.AUDIO].reasons == ("voice too quiet in 2 of 2 utterances",)
    assert [(line.text, line.start_s) for line in result.transcript] == [("what a day", 0.0), ("at last", 3.0)]
    assert [point.start_s for point in result.timeline] == [0.0, 1.0, 3.0, 4.0]
    assert result.models == {Modality.TEXT: (ModelRef(name="mien-text", version="1"),)}
    row = result.accounting[Modality.AUDIO]
    assert row.published == row.scored + row.abstained + row.failed + row.expired == 2


def test_no_evidence_gives_no_number() -> None:
    result = build_result(state({}, {}), [], [])
    assert (result.mood, result.reason, result.distribution) == (None, "insufficient_evidence", None)
    assert result.modalities[Modality.TEXT].reasons == ("no speech came",)
    assert result.status is Phase.LIVE


def test_what_the_person_did_not_agree_to_counts_nothing() -> None:
    total = contribution_of(said("what a day", 0, 0.0)).total
    bins = [TimelineBin(index=0, sums={Modality.TEXT: total})]
    result = build_result(state({Modality.TEXT: total}, {}, modalities=(Modality.FACE,)), bins, [])
    assert result.mood is None
    assert result.timeline == ()
    assert list(result.modalities) == [Modality.FACE]
