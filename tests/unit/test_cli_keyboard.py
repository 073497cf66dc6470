"""Single keys, from a pseudo-terminal as from Unix, and from what the module of Windows gives."""

import os
import pty
import sys
import termios
from collections import deque
from collections.abc import Iterator
from types import ModuleType

import pytest

from services.cli.keyboard import WindowsKeyboard, open_keyboard


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is a terminal; what is written to the descriptor is pressed there."""
    own, its = pty.openpty()
    with os.fdopen(its) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield own
    os.close(own)


def test_keys_come_one_by_one_without_enter_and_the_terminal_is_left_as_it_was(typist: int) -> None:
    before = termios.tcgetattr(sys.stdin)
    keyboard = open_keyboard()
    assert keyboard is not None
    with keyboard:
        os.write(typist, b"Pq")
        assert [keyboard.press(5.0), keyboard.press(5.0), keyboard.press(0.0)] == ["p", "q", None]
        assert termios.tcgetattr(sys.stdin) != before
    assert termios.tcgetattr(sys.stdin) == before


@pytest.mark.parametrize(
    "sequence",
    [b"\x1b[F", b"\x1bOQ", b"\x1b[D", b"\x1b[15~", b"\x1b[1;5D", b"\x1b[[D", b"\x1b\x1b[D", b"\x1bf"],
    ids=["End", "F2", "Left", "F5", "Ctrl+Left", "F4 on the console", "Alt+Left", "Alt+F"],
)
def test_a_key_that_is_no_character_does_nothing(typist: int, sequence: bytes) -> None:
    keyboard = open_keyboard()
    assert keyboard is not None
    with keyboard:
        os.write(typist, sequence + b"p")
        assert [keyboard.press(5.0), keyboard.press(5.0), keyboard.press(0.0)] == [None, "p", None]


def test_escape_alone_is_a_key(typist: int) -> None:
    keyboard = open_keyboard()
    assert keyboard is not None
    with keyboard:
        os.write(typist, b"\x1b")
        assert [keyboard.press(5.0), keyboard.press(0.0)] == ["\x1b", None]


def test_windows_gives_keys_through_a_module_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = deque("P\xe0Hq")
    msvcrt = ModuleType("msvcrt")
    vars(msvcrt).update(kbhit=lambda: bool(pressed), getwch=pressed.popleft)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setitem(sys.modules, "termios", None)
    keyboard = open_keyboard()
    assert isinstance(keyboard, WindowsKeyboard)
    with keyboard:
        assert [keyboard.press(0.1) for _ in range(4)] == ["p", None, "q", None], "an arrow is no key of ours"


def test_where_no_key_can_be_read_nobody_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("termios", "msvcrt"):
        monkeypatch.setitem(sys.modules, name, None)
    assert open_keyboard() is None
