"""Which options make one source, and what can be judged of it."""

from pathlib import Path

import pytest

from services.cli.choice import SourceChoice, open_source
from shared.emotions import MODALITIES, Modality
from shared.errors import SettingsError
from tests.e2e.command import SAMPLE


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (SourceChoice(file=Path("a.mp4"), url="rtsp://camera.example"), "one source"),
        (SourceChoice(stdin=True, microphone="room"), "one source"),
        (SourceChoice(file=Path("a.mp4"), camera=False), "one source"),
        (SourceChoice(realtime=True), "--realtime"),
        (SourceChoice(file=Path("a.wav"), rate_hz=8_000), "--rate"),
    ],
)
def test_what_contradicts_itself_is_refused(choice: SourceChoice, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        open_source(choice, None)


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (SourceChoice(stdin=True), [Modality.FACE]),
        (SourceChoice(microphone=False), [Modality.TEXT]),
        (SourceChoice(camera=False), [Modality.AUDIO, Modality.FACE]),
        (SourceChoice(microphone=False, camera=False), None),
    ],
)
def test_what_a_source_cannot_show_is_refused(choice: SourceChoice, wanted: list[Modality] | None) -> None:
    with pytest.raises(SettingsError, match="cannot show"):
        open_source(choice, wanted)


def test_a_recording_is_read_for_what_is_judged() -> None:
    opened = open_source(SourceChoice(file=SAMPLE), [Modality.FACE])
    assert opened.modalities == (Modality.FACE,)
    assert not opened.source.has_audio
    assert not opened.live
    everything = open_source(SourceChoice(file=SAMPLE, realtime=True), None)
    assert everything.modalities == MODALITIES
    assert everything.live


def test_standard_input_is_heard_alone() -> None:
    opened = open_source(SourceChoice(stdin=True), None)
    assert opened.modalities == (Modality.TEXT, Modality.AUDIO)
    assert not opened.source.has_video


def test_whoever_consents_is_told_that_a_device_is_not_there_yet() -> None:
    opened = open_source(SourceChoice(microphone=False, camera="/dev/no-camera"), None)
    (words,) = opened.words
    assert "'/dev/no-camera' (it is waited for: There is no camera at /dev/no-camera;" in words
    assert opened.modalities == (Modality.FACE,)
