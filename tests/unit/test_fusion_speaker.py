"""A voice relative to its own speaker."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fusion.speaker import (
    LEAST_UTTERANCES,
    SpeakerSums,
    relative_voice_of,
    speaker_of,
    speaker_sums_of,
)
from shared.emotions import EMOTIONS, Modality
from shared.messages.details import AudioDetails
from shared.messages.score import ModalityScore, ModelRef, Status

Utterance = tuple[float, float]
UTTERANCES = st.lists(st.tuples(st.floats(60, 500), st.floats(0, 60)), min_size=LEAST_UTTERANCES, max_size=30)


def heard(pitch_hz: float | None, energy_db: float | None, status: Status = Status.SCORED) -> ModalityScore:
    scored = {"mood": 3.0, "distribution": dict.fromkeys(EMOTIONS, 1 / 7)}
    return ModalityScore.model_validate(
        {
            "session_id": "session-0001", "modality": Modality.AUDIO, "seq": 0, "start_s": 0, "end_s": 1,
            "status": status, "model": ModelRef(name="audio", version="1"),
            "details": AudioDetails(pitch_hz=pitch_hz, energy_db=energy_db),
            **(scored if status is Status.SCORED else {"reason": "no_voice"}),
        }
    )  # fmt: skip


def sums_of(utterances: list[Utterance]) -> SpeakerSums:
    return sum((speaker_sums_of(heard(*each)) for each in utterances), start=SpeakerSums())


@given(UTTERANCES, st.randoms())
def test_order_and_shards_do_not_show(utterances: list[Utterance], random: Random) -> None:
    shuffled = random.sample(utterances, len(utterances))
    cut = random.randrange(len(shuffled))
    assert sums_of(shuffled[:cut]) + sums_of(shuffled[cut:]) == sums_of(utterances)
    assert SpeakerSums.unpack(sums_of(utterances).pack()) == sums_of(utterances)


@given(UTTERANCES, st.floats(0.5, 2), st.floats(-20, 20))
def test_another_voice_or_microphone_changes_nothing(utterances: list[Utterance], higher: float, louder: float) -> None:
    other = [(pitch * higher, energy + louder) for pitch, energy in utterances]
    for mine, theirs in zip(utterances, other, strict=True):
        one = relative_voice_of(heard(*mine), sums_of(utterances))
        two = relative_voice_of(heard(*theirs), sums_of(other))
        assert one is not None
        assert two is not None
        assert one.pitch_sd == pytest.approx(two.pitch_sd, abs=0.03)
        assert one.energy_sd == pytest.approx(two.energy_sd, abs=0.03)


def test_moments_are_those_of_the_utterances() -> None:
    speaker = speaker_of(sums_of([(100.0, 20.0), (200.0, 30.0)] * 3))
    assert speaker is not None
    assert speaker.utterances == 6
    assert speaker.pitch_hz == pytest.approx(math.sqrt(100 * 200), abs=0.1)
    assert (speaker.pitch_sd_semitones, speaker.energy_db, speaker.energy_sd_db) == (6.0, 25.0, 5.0)


def test_who_raises_their_voice_is_heard_to() -> None:
    usual = [(200.0 + step, 30.0 + step / 4) for step in range(-10, 11, 2)]
    classes = [relative_voice_of(heard(*each), sums_of(usual)) for each in ((170, 24), (200, 30), (206, 32), (260, 40))]
    assert [each.intensity for each in classes if each] == ["calm", "neutral", "low", "high"]


@pytest.mark.parametrize(
    "score", [heard(None, 30.0), heard(200.0, None), heard(0.0, 30.0), heard(200.0, 30.0, Status.ABSTAINED)]
)
def test_what_is_no_voice_says_nothing_of_the_speaker(score: ModalityScore) -> None:
    assert speaker_sums_of(score) == SpeakerSums()
    assert relative_voice_of(score, sums_of([(200.0, 30.0)] * LEAST_UTTERANCES)) is None


def test_too_little_says_nothing() -> None:
    few = sums_of([(200.0, 30.0)] * (LEAST_UTTERANCES - 1))
    assert speaker_of(few) is None
    assert relative_voice_of(heard(200.0, 30.0), few) is None
