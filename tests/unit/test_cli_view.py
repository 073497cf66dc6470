"""What a person sees while a session runs, drawn from one look at it."""

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from services.capture.devices import Device
from services.capture.status import CaptureStatus, Counts
from services.cli.devices import device_table
from services.cli.view import View, face_seen, line, meter, panel, sign_style
from services.fusion.results import SessionSummary, build_summary
from services.fusion.schema import MoodResult
from services.fusion.state import Counts as Counted
from services.fusion.state import Outcome, SessionState
from shared.emotions import Modality
from shared.sessions import new_session

STATUS = CaptureStatus(
    elapsed_s=62.4,
    level_dbfs=-30.0,
    speaking=True,
    paused=False,
    muted=False,
    link="connected",
    keep_minutes=20,
    speech=Counts(sent=3, waiting=1, dropped=0),
    frames=Counts(sent=100, waiting=2, dropped=5),
    problem=None,
)
VIEW = View(
    status=STATUS,
    hears=True,
    sees=True,
    remote=True,
    total_s=None,
    summary=None,
    face=True,
    note=None,
    notice=None,
    asks=False,
    keys={"p": "pause", "q": "end"},
    ending=False,
)


def summary(scored: int = 0, abstained: int = 0, mood: float | None = None) -> SessionSummary:
    started, _ = new_session([Modality.FACE])
    counts = Counted(outcomes={Outcome.SCORED: scored, Outcome.ABSTAINED: abstained})
    state = SessionState(
        started=started, ended=None, expires_at=datetime.now(UTC), sums={}, counts={Modality.FACE: counts}
    )
    result = None if mood is None else MoodResult(score=mood, low=mood - 0.5, high=mood + 0.5, label="happy")
    return build_summary(state).model_copy(update={"mood": result})


def drawn(what: RenderableType) -> str:
    console = Console(file=StringIO(), width=100)
    console.print(what)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def status(**changes: Any) -> View:
    return replace(VIEW, status=replace(STATUS, **changes))


def test_everything_is_seen_at_once() -> None:
    text = drawn(panel(replace(VIEW, summary=summary(mood=4.1))))
    for words in ("● RECORDING 1:02", "-30 dBFS  speech", "face seen", "4.1 of 5", "happy", "connected"):
        assert words in text
    for words in ("3 sent, 1 waiting, 0 dropped", "100 sent, 2 waiting, 5 dropped", "[p] pause", "[q] end"):
        assert words in text


@pytest.mark.parametrize(
    ("view", "words", "colour"),
    [
        (VIEW, "● RECORDING 1:02", "red"),
        (status(muted=True, level_dbfs=None), "● RECORDING WITHOUT SOUND 1:02", "red"),
        (status(paused=True, level_dbfs=None), "‖ PAUSED 1:02", "yellow"),
        (replace(VIEW, ending=True), "ENDING 1:02", "yellow"),
        (status(elapsed_s=0.0, link="away"), "CONNECTING", "yellow"),
        (replace(VIEW, total_s=90.0), "▶ PUBLISHING 1:02 of 1:30", "yellow"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_sign_is_red_only_while_something_is_recorded(view: View, words: str, colour: str) -> None:
    assert words in drawn(panel(view))
    assert words in line(view)
    assert sign_style(view) == colour


def test_what_is_wrong_is_said() -> None:
    text = drawn(panel(status(link="away", problem="The microphone 'room' is gone; it is waited for.")))
    assert "away; up to 20 minutes of speech are kept" in text
    assert "is waited for" in text
    assert "away; the recording waits" in line(replace(status(link="away"), total_s=90.0))
    assert "it takes nothing now" in line(status(link="blocked"))


def test_what_stays_in_this_process_goes_to_no_broker() -> None:
    here = replace(VIEW, remote=False)
    assert "nowhere: everything is judged in this process" in drawn(panel(here))
    assert "broker" not in drawn(panel(here)) + line(here)
    assert "broker connected" in line(VIEW)


def test_what_is_not_recorded_is_not_shown() -> None:
    text = drawn(panel(replace(VIEW, hears=False)))
    assert "dBFS" not in text
    assert "frames" in text
    assert "frames" not in line(replace(VIEW, sees=False))


def test_a_question_takes_the_place_of_the_keys() -> None:
    text = drawn(panel(replace(VIEW, asks=True)))
    assert "Delete everything about this session? [y] yes" in text
    assert "[p] pause" not in text


def test_no_mood_says_why() -> None:
    assert "not enough evidence yet" in drawn(panel(VIEW))
    assert "does not answer" in drawn(panel(replace(VIEW, note="broker.example does not answer")))


@pytest.mark.parametrize(("level", "cells"), [(None, 0), (-100.0, 0), (-60.0, 0), (-30.0, 5), (0.0, 10), (3.0, 10)])
def test_the_meter_spans_sixty_decibels(level: float | None, cells: int) -> None:
    assert meter(level, 10) == cells


def test_a_face_is_seen_where_the_newest_frames_were_scored() -> None:
    assert face_seen(None, None) is None
    assert face_seen(None, summary(scored=1)) is True
    assert face_seen(summary(scored=5), summary(scored=5, abstained=2)) is False
    assert face_seen(summary(scored=5, abstained=2), summary(scored=6, abstained=3)) is True
    assert face_seen(summary(scored=5), summary(scored=5)) is None


def test_a_device_s_name_is_shown_as_it_is() -> None:
    device = Device(kind="microphone", name="USB Mic [front]", default=True, address=0)
    assert "USB Mic [front]" in drawn(device_table([device]))


def test_no_device_is_a_sentence() -> None:
    assert "No microphone and no camera" in drawn(device_table([]))
