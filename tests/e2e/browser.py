"""Debian's Chromium, driven by Playwright, with devices that play files instead of a real microphone and camera."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import av
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

SCREENSHOTS: Final = Path("build/screenshots")
"""Where screenshots are kept as test output."""

_GRAVE: Final = {"serious", "critical"}

_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


@contextmanager
def chromium(sound: Path, pictures: Path) -> Iterator[Browser]:
    """Start the browser; where there is none the test skips, and fails in CI.

    Args:
        sound: A WAV file that its microphone plays, over and over.
        pictures: A Y4M file that its camera plays, over and over.
    """
    program = shutil.which("chromium")
    if program is None:
        sentence = "chromium is not on the PATH; install Debian's package of that name"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(f"NOT TESTED in a real browser: {sentence}")
    devices = [f"--use-file-for-fake-audio-capture={sound}", f"--use-file-for-fake-video-capture={pictures}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_FLAGS, *devices])
        yield browser
        browser.close()


def as_devices(recording: Path, folder: Path) -> tuple[Path, Path]:
    """Write a recording's sound as WAV and its pictures as Y4M, as Chromium's fake devices want them."""
    sound, pictures = folder / "microphone.wav", folder / "camera.y4m"
    with av.open(str(recording)) as source, av.open(str(sound), "w") as wav:
        track = wav.add_stream("pcm_s16le", rate=48_000, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in source.decode(audio=0):
            for resampled in resampler.resample(frame):
                wav.mux(track.encode(resampled))
        wav.mux(track.encode(None))
    with av.open(str(recording)) as source, av.open(str(pictures), "w", format="yuv4mpegpipe") as y4m:
        film = y4m.add_stream("wrapped_avframe", rate=10)
        film.width, film.height, film.pix_fmt = 320, 240, "yuv420p"
        taken_until = -1.0
        for number, picture in enumerate(source.decode(video=0)):
            if (picture.time or 0.0) < taken_until:
                continue
            taken_until = (picture.time or number / 25) + 0.1
            small = picture.reformat(width=320, height=240, format="yuv420p")
            small.pts = None
            y4m.mux(film.encode(small))
        y4m.mux(film.encode(None))
    return sound, pictures


def keep(page: Page, name: str) -> None:
    """Keep a screenshot of the whole page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def no_grave_fault(page: Page) -> None:
    """Have axe look at the page, and fail where somebody could not use it."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    grave = [
        f"{each['id']}: {node['html']}" for each in violations if each["impact"] in _GRAVE for node in each["nodes"]
    ]
    assert not grave
