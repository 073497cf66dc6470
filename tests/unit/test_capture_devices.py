"""Which of several devices is opened."""

import pytest

from services.capture.devices import Device, _choose, _Finder


def camera(name: str, address: str) -> Device:
    return Device(kind="camera", name=name, default=False, address=address)


DEVICES = [
    camera("Desk camera", "/dev/video0"),
    camera("HD Pro Webcam C920", "/dev/video2"),
    camera("HD Pro Webcam C920", "/dev/video4"),
    camera("20", "/dev/video6"),
]


@pytest.mark.parametrize(
    ("name", "address"),
    [("0", "/dev/video0"), ("2", "/dev/video4"), ("20", "/dev/video6"), ("c920", "/dev/video2"), ("9", "/dev/video2")],
)
def test_the_whole_name_goes_before_the_number_and_the_number_before_a_part_of_the_name(
    name: str, address: str
) -> None:
    assert _choose("camera", name, DEVICES).address == address


def test_of_two_with_one_name_it_stays_the_one_that_was_chosen() -> None:
    there = list(DEVICES)
    chosen = _choose("camera", "2", there)
    find = _Finder(lambda name, address: _choose("camera", name, there, address), chosen.name, chosen.address)
    assert [find(), find()] == ["/dev/video4", "/dev/video4"]
    there[2] = camera("Another", "/dev/video4")
    assert find() == "/dev/video2", "the address alone is not enough"
