"""The result card shows what was said as it was said."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from services.cli.analyze import _say_what_next
from services.cli.card import result_card
from services.fusion.results import build_result
from services.fusion.schema import TranscriptLine
from services.fusion.state import SessionState
from shared.emotions import Modality
from shared.sessions import new_session


@pytest.mark.parametrize("words", ["I [really] like it", "nice [/b] day", "a :smile: from me"])
def test_words_are_no_markup(words: str) -> None:
    started, _ = new_session([Modality.TEXT])
    state = SessionState(started=started, ended=None, expires_at=datetime.now(UTC), sums={}, counts={})
    line = TranscriptLine(start_s=0.0, end_s=2.0, text=words, mood=None)
    out = Console(file=StringIO(), width=100)
    out.print(result_card(build_result(state, [], []).model_copy(update={"transcript": (line,)})))
    assert isinstance(out.file, StringIO)
    assert words in out.file.getvalue()


def test_the_report_s_name_is_no_markup() -> None:
    out = Console(file=StringIO(), width=100)
    _say_what_next(out, Path("of [bob].html"), damaged=False)
    assert isinstance(out.file, StringIO)
    assert "The report is in of [bob].html." in out.file.getvalue()
