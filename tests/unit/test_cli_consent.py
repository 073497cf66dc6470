"""What a person is told before anything is recorded, and what counts as their consent."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from services.cli.consent import Agreement, Disclosure, agree, consent_screen, whereabouts
from shared.emotions import MODALITIES, Modality
from shared.errors import SettingsError
from shared.messages.session import Purpose

DISCLOSURE = Disclosure(
    sources=("sound of the microphone 'room', where somebody speaks",),
    modalities=MODALITIES,
    place="RabbitMQ at broker.example:5671",
    kept="the result and its evidence 24 h",
    live=True,
    can_erase=True,
)
ASKED = Agreement(consent=False, purpose=None, may_ask=True)


def shown(purpose: Purpose | None = None, **changes: bool | tuple[Modality, ...]) -> str:
    console = Console(file=StringIO(), width=200)
    console.print(consent_screen(replace(DISCLOSURE, **changes), purpose))  # type: ignore[arg-type]
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def answer(monkeypatch: pytest.MonkeyPatch, words: str, said: Agreement = ASKED) -> tuple[str, str]:
    monkeypatch.setattr("sys.stdin", StringIO(words))
    console = Console(file=StringIO(), width=200)
    assert isinstance(console.file, StringIO)
    return agree(DISCLOSURE, said, console), console.file.getvalue()


def test_the_screen_says_what_where_how_long_and_how_to_stop() -> None:
    screen = shown()
    for words in ("microphone 'room'", "the tone of the voice", "broker.example:5671", "24 h", "pause", "delete"):
        assert words in screen
    assert "purpose" not in screen
    assert "research" in shown(purpose="research")


def test_the_screen_promises_only_the_keys_that_there_will_be() -> None:
    assert "pause, mute, have the last minute forgotten, delete the session or end it" in shown()
    assert "You can have the last minute forgotten, delete the session or end it" in shown(live=False)
    assert "pause, have the last minute forgotten, delete" in shown(modalities=(Modality.FACE,))
    assert "forgotten or end it at any time, each by one key. It can be deleted where --api" in shown(can_erase=False)


@pytest.mark.parametrize(
    ("modalities", "local", "expected"),
    [
        (MODALITIES, (), "here: sound of speech; pictures"),
        ((Modality.FACE,), (Modality.FACE,), "here: scores of face, which are judged on this machine"),
        (
            MODALITIES,
            (Modality.AUDIO, Modality.FACE),
            "here: sound of speech; scores of audio and face, which are judged on this machine",
        ),
    ],
)
def test_where_it_goes_is_the_truth(
    modalities: tuple[Modality, ...], local: tuple[Modality, ...], expected: str
) -> None:
    assert whereabouts(replace(DISCLOSURE, modalities=modalities, local=local, place="here")) == expected


def test_nothing_leaves_a_machine_that_judges_alone() -> None:
    assert "nowhere" in whereabouts(replace(DISCLOSURE, place=None))


def test_a_yes_and_a_purpose_are_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    purpose, screen = answer(monkeypatch, "research\ny\n")
    assert purpose == "research"
    assert "Before anything is recorded" in screen
    assert answer(monkeypatch, "y\n", Agreement(consent=False, purpose="medical", may_ask=True))[0] == "medical"


@pytest.mark.parametrize("words", ["\n\n", "research\nn\n"])
def test_anything_but_a_yes_is_none(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    with pytest.raises(SettingsError, match="Nothing was recorded"):
        answer(monkeypatch, words)


@pytest.mark.parametrize("words", ["workplace\ny\n", "education\ny\n"])
def test_purposes_that_are_forbidden_are_refused_when_they_are_typed(
    monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    with pytest.raises(SettingsError, match="prohibited"):
        answer(monkeypatch, words)


def test_a_script_states_it_and_is_not_asked() -> None:
    console = Console(file=StringIO())
    assert agree(DISCLOSURE, Agreement(consent=True, purpose=None, may_ask=False), console) == "personal"
    assert agree(DISCLOSURE, Agreement(consent=True, purpose="safety", may_ask=True), console) == "safety"
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == ""


def test_a_script_that_states_nothing_or_a_forbidden_purpose_records_nothing() -> None:
    silent = Agreement(consent=False, purpose=None, may_ask=False)
    forbidden = Agreement(consent=True, purpose="workplace", may_ask=False)
    for said, words in ((silent, "--consent"), (forbidden, "prohibited")):
        with pytest.raises(SettingsError, match=words):
            agree(DISCLOSURE, said, Console(file=StringIO()))
