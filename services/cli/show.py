"""From the start of a recording to its result, in the terminal or in a window."""

from dataclasses import dataclass

from rich.console import Console

from services.cli.readout import Readout
from services.cli.recording import DELETED_ELSEWHERE, ENDED_ELSEWHERE, Recording
from services.cli.terminal import ending_on_signals, follow
from services.fusion.schema import SessionResult
from shared.errors import SettingsError
from shared.messages.session import SessionEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How it went.

    Attributes:
        ended: What was told to the broker last.
        deleted: Whether everything about the session was erased, here or elsewhere.
        result: Its result; None where it was erased or nobody could be asked.
    """

    ended: SessionEnded
    deleted: bool
    result: SessionResult | None


def run(recording: Recording, readout: Readout, console: Console, *, window: bool, has_keys: bool) -> Ending:
    """Run a session to its end, and find out its result, or erase it where the person wants that.

    Args:
        recording: The session; it is started here.
        readout: What is found out of it.
        console: Where it is shown and spoken of.
        window: Whether to show a window instead.
        has_keys: Whether standard input is a person's.

    Raises:
        MienError: What the agent failed with, or if the session cannot be erased.
    """
    if window:
        return _run_in_window(recording, readout)
    recording.start()
    follow(recording, console, has_keys=has_keys)
    outcome = recording.outcome()
    if outcome.deleted and not readout.gone:
        console.print(readout.erase(), markup=False)
        return Ending(ended=outcome.ended, deleted=True, result=None)
    with console.status("Weighing the evidence"):
        result = readout.result()
    if readout.gone:
        console.print(DELETED_ELSEWHERE)
        return Ending(ended=outcome.ended, deleted=True, result=None)
    if outcome.elsewhere:
        console.print(ENDED_ELSEWHERE)
    return Ending(ended=outcome.ended, deleted=False, result=result)


def require_window() -> None:
    """Check that there can be a window.

    Raises:
        SettingsError: If Tk or a screen is missing.
    """
    try:
        import tkinter as tk  # noqa: PLC0415  (not every Python has it)
    except ModuleNotFoundError:
        raise SettingsError(
            "A window needs Tk, which this Python lacks: install it (Debian: python3-tk), or leave out --window."
        ) from None
    try:
        tk.Tk().destroy()
    except tk.TclError as error:
        raise SettingsError(f"There is no screen for a window ({error}); leave out --window.") from None


def _run_in_window(recording: Recording, readout: Readout) -> Ending:
    from services.cli.window import Window  # noqa: PLC0415  (it imports Tk)

    with ending_on_signals(recording):
        recording.start()
        window = Window(recording, readout)
        window.run()
    if window.failure is not None:
        raise window.failure
    outcome = recording.outcome()
    return Ending(ended=outcome.ended, deleted=outcome.deleted or readout.gone, result=window.result)
