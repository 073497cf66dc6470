"""Exported evidence gives the same numbers again, from a store to a file and back."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.app import app
from services.fusion.parameters import DEFAULT_PARAMETERS
from services.fusion.replay import EvidenceExport, export_of, read_export, replay
from services.fusion.results import build_result
from services.fusion.schema import SessionResult
from services.fusion.state import Loss, Outcome
from shared.emotions import EMOTIONS, Emotion, Modality, as_mapping, mood_of
from shared.errors import BadInputError
from shared.messages.details import FaceDetails, TextDetails, empty_details
from shared.messages.score import ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded
from shared.messages.typed import FIRST_TYPED_SEQ
from shared.sessions import new_session
from tests.stores import memory_store

SESSION = "session-replay"


def judged(modality: Modality, emotion: Emotion, start_s: float, end_s: float, seq: int) -> ModalityScore:
    distribution = [0.7 if each is emotion else 0.05 for each in EMOTIONS]
    details = TextDetails(transcript="so it goes") if modality is Modality.TEXT else empty_details(modality)
    return ModalityScore(
        session_id=SESSION,
        modality=modality,
        seq=seq,
        start_s=start_s,
        end_s=end_s,
        status=Status.SCORED,
        mood=2.2 if modality is Modality.TEXT else float(mood_of(distribution)),
        distribution=as_mapping(distribution),
        quality=0.7,
        details=details,
        model=ModelRef(name=f"mien-{modality}", version="1"),
    )


def turned_away(seq: int) -> ModalityScore:
    return ModalityScore(
        session_id=SESSION,
        modality=Modality.FACE,
        seq=seq,
        start_s=0.2 * seq,
        end_s=0.2 * seq,
        status=Status.ABSTAINED,
        reason="face_turned_away",
        details=FaceDetails(),
        model=ModelRef(name="mien-face", version="1"),
    )


@pytest.fixture(params=[None, 3.8], ids=["absolute", "relative"])
def recorded(request: pytest.FixtureRequest) -> tuple[SessionResult, EvidenceExport]:
    """A session with all that can become of a chunk, its result and its export."""
    store = memory_store()
    started, _ = new_session(session_id=SESSION, baseline=request.param)
    frames = [judged(Modality.FACE, Emotion.JOY, 0.2 * i, 0.2 * i, i) for i in range(60)]
    speech = [
        judged(modality, emotion, 5.0 * i, 5.0 * i + 3.3, i)
        for modality, emotion in ((Modality.TEXT, Emotion.NEUTRAL), (Modality.AUDIO, Emotion.SADNESS))
        for i in range(2)
    ]
    store.apply([started, *reversed(frames), *speech, *frames[:7], *(turned_away(seq) for seq in range(60, 70))])
    store.lose(Loss(session_id=SESSION, modality=Modality.FACE, seq=70, cause="maxlen", outcome=Outcome.EXPIRED))
    store.end(SessionEnded(session_id=SESSION, duration_s=14.2, speech_chunks=2, frames=71))
    state, evidence = store.read(SESSION), store.evidence(SESSION)
    assert state is not None
    return build_result(state, store.timeline(SESSION), evidence), export_of(state, evidence)


def test_a_replay_is_the_same_to_the_last_digit(recorded: tuple[SessionResult, EvidenceExport]) -> None:
    result, export = recorded
    assert result.mood is not None
    assert replay(read_export(export.model_dump_json())).model_dump_json() == result.model_dump_json()


def test_order_and_duplicates_in_the_export_change_nothing(recorded: tuple[SessionResult, EvidenceExport]) -> None:
    result, export = recorded
    shuffled = export.model_copy(update={"evidence": (*reversed(export.evidence), *export.evidence[:9])})
    again = replay(shuffled)
    assert (again.mood, again.course) == (result.mood, result.course)
    assert [point.mood for point in again.timeline] == [point.mood for point in result.timeline]


def test_the_command_prints_what_the_analysis_printed(
    recorded: tuple[SessionResult, EvidenceExport], tmp_path: Path
) -> None:
    result, export = recorded
    path = tmp_path / "evidence.json"
    path.write_text(export.model_dump_json())
    printed = CliRunner().invoke(app, ["replay", str(path), "--json"])
    assert printed.exit_code == 0
    assert printed.stdout.strip() == result.model_dump_json()
    assert "of 5" in CliRunner().invoke(app, ["replay", str(path)]).stdout


def test_typed_text_is_published_in_a_replay_too() -> None:
    store = memory_store()
    started, _ = new_session(session_id=SESSION)
    store.start(started)
    store.take_typed_place(SESSION)
    store.add(judged(Modality.TEXT, Emotion.JOY, 1.0, 3.0, FIRST_TYPED_SEQ))
    state, evidence = store.read(SESSION), store.evidence(SESSION)
    assert state is not None
    again = replay(read_export(export_of(state, evidence).model_dump_json()))
    assert again.accounting[Modality.TEXT].published == 1
    assert again == build_result(state, store.timeline(SESSION), evidence)


def test_no_secret_is_exported(recorded: tuple[SessionResult, EvidenceExport]) -> None:
    assert "token" not in recorded[1].model_dump_json()


def test_missing_scores_are_noticed(recorded: tuple[SessionResult, EvidenceExport]) -> None:
    _, export = recorded
    with pytest.raises(BadInputError, match="export it again"):
        replay(export.model_copy(update={"evidence": export.evidence[1:]}))


def test_what_is_no_export_is_refused(recorded: tuple[SessionResult, EvidenceExport]) -> None:
    with pytest.raises(BadInputError, match="mien analyze"):
        read_export("{}")
    with pytest.raises(BadInputError, match="version"):
        read_export(recorded[1].model_copy(update={"rule": "another"}).model_dump_json())


def test_numbers_of_another_fit_are_another_rule() -> None:
    text = DEFAULT_PARAMETERS.modalities[Modality.TEXT]
    refitted = {**DEFAULT_PARAMETERS.modalities, Modality.TEXT: replace(text, reliability=text.reliability + 0.001)}
    assert replace(DEFAULT_PARAMETERS, modalities=refitted).rule != DEFAULT_PARAMETERS.rule


def test_the_answer_says_whether_it_is_relative(recorded: tuple[SessionResult, EvidenceExport]) -> None:
    result, export = recorded
    assert result.mood is not None
    assert result.mood.relative is (export.baseline is not None)
    assert result.mood.usual == export.baseline
    if result.mood.relative:
        assert result.mood.absolute is not None
        assert result.mood.score < result.mood.absolute
        assert "usual" in result.mood.label
