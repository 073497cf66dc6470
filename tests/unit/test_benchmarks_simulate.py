"""How many workers a load takes, by simulation."""

import math

import pytest

from benchmarks.scale.material import FRAMES_PER_S
from benchmarks.scale.simulate import P95_S, Measured, workers_needed
from shared.emotions import Modality


@pytest.mark.parametrize(("sessions", "service_s"), [(20, 0.0102), (200, 0.0101), (10, 0.001)])
def test_there_are_never_fewer_workers_than_the_load_keeps_busy(sessions: int, service_s: float) -> None:
    measured = Measured(service_s={Modality.FACE: [service_s]}, utterance_s=[3.0])
    workers, p95_s = workers_needed(measured, Modality.FACE, sessions)
    assert workers >= math.ceil(sessions * FRAMES_PER_S * service_s)
    assert p95_s <= P95_S


def test_a_heavier_load_takes_more_workers() -> None:
    measured = Measured(service_s={Modality.FACE: [0.02]}, utterance_s=[3.0])
    few, many = (workers_needed(measured, Modality.FACE, sessions)[0] for sessions in (10, 60))
    assert few < many
