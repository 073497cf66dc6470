"""Which frames of a live session show something new."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.capture.stillness import Stillness, is_still, thumbnail


def scene(seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture with large and small shapes in it."""
    coarse = np.random.default_rng(seed).integers(30, 220, (12, 16, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((40, 40, 1), dtype=np.uint8)).astype(np.uint8)


def noisy(image: NDArray[np.uint8], seed: int, deviation: float = 5.0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@given(st.integers(0, 2**16), st.integers(0, 2**16))
@settings(max_examples=10)
def test_a_camera_s_noise_is_not_news(one: int, other: int) -> None:
    assert is_still(thumbnail(noisy(scene(), one)), thumbnail(noisy(scene(), other)))


@given(st.integers(0, 599), st.integers(0, 454))
@settings(max_examples=20)
def test_a_mouth_that_opens_is_news_wherever_it_is(left: int, top: int) -> None:
    image = scene()
    spoken = image.copy()
    spoken[top : top + 25, left : left + 40] //= 2
    assert not is_still(thumbnail(noisy(image, 1)), thumbnail(noisy(spoken, 2)))


def test_a_still_picture_is_sent_now_and_then_all_the_same() -> None:
    stillness = Stillness(1.0)
    sent = [number / 5 for number in range(21) if stillness.is_new(number / 5, noisy(scene(), number))]
    assert sent == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_slow_change_adds_up_and_is_not_missed() -> None:
    stillness = Stillness(100.0)
    dark = np.zeros((480, 640, 3), dtype=np.uint8)
    sent = [step for step in range(20) if stillness.is_new(step / 5, dark + np.uint8(step))]
    assert sent == list(range(0, 20, 2))
