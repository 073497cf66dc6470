"""What an analysis prints and writes."""

import os
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from services.cli.analyze import Outputs, _say_what_next, analyze_file
from services.cli.calibrate import baseline_of, calibrate_file, read_baseline
from services.cli.card import result_card
from services.cli.report import write_report
from services.fusion.course import Course, Moment
from services.fusion.results import build_result
from services.fusion.schema import MoodResult, TimelinePoint, TranscriptLine
from services.fusion.state import SessionState
from shared.emotions import Emotion, Modality
from shared.errors import BadInputError
from shared.sessions import new_session


@pytest.mark.parametrize("what", ["report", "evidence"])
def test_where_nothing_can_be_written_is_said_before_anything_is_analysed(what: str, tmp_path: Path) -> None:
    for path in (tmp_path / "missing" / "file", tmp_path):
        outputs = Outputs(report=path) if what == "report" else Outputs(evidence=path)
        with pytest.raises(BadInputError, match=f"The {what} cannot be written to {path}"):
            analyze_file(tmp_path / "not there.mp4", outputs, tuple(Modality), fps=5.0)
        with pytest.raises(BadInputError, match=f"The baseline cannot be written to {path}"):
            calibrate_file(tmp_path / "not there.mp4", path, consent=True, fps=5.0)


@pytest.mark.parametrize("words", ["I [really] like it", "nice [/b] day", "a :smile: from me"])
def test_words_are_no_markup(words: str) -> None:
    started, _ = new_session([Modality.TEXT])
    state = SessionState(started=started, ended=None, expires_at=datetime.now(UTC), sums={}, counts={})
    line = TranscriptLine(start_s=0.0, end_s=2.0, text=words, mood=None)
    out = Console(file=StringIO(), width=100)
    out.print(result_card(build_result(state, [], []).model_copy(update={"transcript": (line,)})))
    assert isinstance(out.file, StringIO)
    assert words in out.file.getvalue()


@pytest.mark.parametrize(("usual", "words"), [(None, "absolute"), (4.0, "absolute 4.5, usual 4.0")])
def test_the_card_says_on_which_scale_the_mood_is(usual: float | None, words: str) -> None:
    started, _ = new_session([Modality.TEXT])
    state = SessionState(started=started, ended=None, expires_at=datetime.now(UTC), sums={}, counts={})
    mood = MoodResult(
        score=4.0, low=3.5, high=4.5, label="good", relative=usual is not None, usual=usual,
        absolute=None if usual is None else 4.5,
    )  # fmt: skip
    out = Console(file=StringIO(), width=200)
    out.print(result_card(build_result(state, [], []).model_copy(update={"mood": mood})))
    assert isinstance(out.file, StringIO)
    assert words in out.file.getvalue()
    assert ("this person's usual" in out.file.getvalue()) == (usual is not None)


def test_a_disagreement_that_its_course_does_not_name_is_on_the_card_too() -> None:
    started, _ = new_session([Modality.TEXT, Modality.FACE])
    state = SessionState(started=started, ended=None, expires_at=datetime.now(UTC), sums={}, counts={})
    apart = (Modality.TEXT, Modality.FACE)
    mood = MoodResult(score=4.25, low=3.5, high=4.5, label="happy; words and face disagree", disagreement=apart)
    moment = Moment(start_s=0, end_s=10, mood=4, emotion=Emotion.JOY)
    course = Course(
        mean=4, peak=moment, end=moment, disagreements=(), label="mostly happy", relative=False, usual=None
    )  # fmt: skip
    out = Console(file=StringIO(), width=200)
    out.print(result_card(build_result(state, [], []).model_copy(update={"mood": mood, "course": course})))
    assert isinstance(out.file, StringIO)
    assert "4.3 of 5   mostly happy; words and face disagree" in out.file.getvalue()


def test_a_report_of_a_file_whose_name_is_no_text_is_written(tmp_path: Path) -> None:
    started, _ = new_session([Modality.TEXT])
    state = SessionState(started=started, ended=None, expires_at=datetime.now(UTC), sums={}, counts={})
    path = tmp_path / "report.html"
    write_report(build_result(state, [], []), path, title=os.fsdecode(b"caf\xe9.wav"), began=datetime.now(UTC))
    assert "caf?.wav" in path.read_text()


@pytest.mark.parametrize("usual", [1.2, 4.8])
def test_a_baseline_that_leaves_no_room_is_refused_and_why_is_said(usual: float, tmp_path: Path) -> None:
    started, _ = new_session([Modality.TEXT])
    state = SessionState(started=started, ended=None, expires_at=datetime.now(UTC), sums={}, counts={})
    mood = MoodResult(score=usual, low=1, high=5, label="so")
    second = TimelinePoint(start_s=0, end_s=60, mood=usual, low=1, high=5, unsmoothed=usual, modalities={})
    result = build_result(state, [], []).model_copy(update={"mood": mood, "timeline": (second,)})
    with pytest.raises(BadInputError, match=f"{usual}, is too near an end"):
        baseline_of(result)
    kept = tmp_path / "baseline.json"
    even = result.model_copy(update={"mood": mood.model_copy(update={"score": 4.5})})
    kept.write_text(baseline_of(even).model_dump_json())
    assert read_baseline(kept).usual == 4.5
    kept.write_text(kept.read_text().replace("4.5", str(usual)))
    with pytest.raises(BadInputError, match="with a usual mood of"):
        read_baseline(kept)


def test_the_report_s_name_is_no_markup() -> None:
    out = Console(file=StringIO(), width=100)
    _say_what_next(out, Path("of [bob].html"))
    assert isinstance(out.file, StringIO)
    assert "The report is in of [bob].html." in out.file.getvalue()
