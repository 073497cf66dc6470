"""Whether the dashboard stays smooth: an hour-long session that goes on, in Chromium, over a real Redis."""

import json
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.sync_api import Browser, Page

from benchmarks.figures import Target
from services.fusion.store import SessionStore, connect
from tests import servers
from tests.e2e.browser import as_devices, chromium
from tests.e2e.command import SAMPLE
from tests.e2e.made_up import FRAME_S, MadeUp
from tests.stores import serving

HOUR_S: Final = 3600
SECONDS: Final = 20
IN_TIME_MS: Final = 50

_DATA: Final = "an hour-long session that goes on, in Chromium, 1200 px wide"

DASHBOARD: Final = (
    Target(
        area="dashboard",
        key="busy_share",
        figure="processor time of the page's main thread, share",
        data=_DATA,
        better="lower",
        must=0.2,
    ),
    Target(
        area="dashboard",
        key="frames_in_time",
        figure="frames drawn within 50 ms, share",
        data=_DATA,
        must=0.95,
        aim=0.99,
    ),
    Target(area="dashboard", key="points", figure="points of one line", data=_DATA, better="lower", must=300),
    Target(
        area="dashboard", key="heap_mb", figure="memory of the page's scripts", unit="MB", data=_DATA, better="lower"
    ),
)


def measure_dashboard() -> dict[str, float]:
    """Return how busy the page is while frames and words come in."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        store = SessionStore(connect(stack.enter_context(servers.redis())))
        address = stack.enter_context(serving(store))
        browser = stack.enter_context(chromium(*as_devices(SAMPLE.absolute(), folder)))
        session = MadeUp.begin(store)
        session.go_on(0, HOUR_S)
        page = _open(browser, address, session)
        stop = threading.Event()
        feeder = threading.Thread(target=_feed, args=(session, stop))
        feeder.start()
        try:
            return _watch(page)
        finally:
            stop.set()
            feeder.join()


def _open(browser: Browser, address: str, session: MadeUp) -> Page:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.goto(address)
    tokens = json.dumps({session.session_id: session.token})
    page.evaluate("tokens => localStorage.setItem('mien.tokens', tokens)", tokens)
    page.goto(f"{address}/#/s/{session.session_id}")
    page.wait_for_selector("#timeline .scatterlayer .trace", state="attached", timeout=60_000)
    return page


def _feed(session: MadeUp, stop: threading.Event) -> None:
    at_s = HOUR_S
    while not stop.wait(FRAME_S / 2):
        session.go_on(at_s, at_s + FRAME_S)
        at_s += FRAME_S


def _watch(page: Page) -> dict[str, float]:
    page.evaluate(
        """() => { window.gaps = []; let last = performance.now();
            (function next(now) { gaps.push(now - last); last = now; requestAnimationFrame(next); })(last); }"""
    )
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def metrics() -> dict[str, float]:
        told: dict[str, Any] = tools.send("Performance.getMetrics")
        return {each["name"]: each["value"] for each in told["metrics"]}

    before, begun = metrics(), time.perf_counter()
    page.wait_for_timeout(1000 * SECONDS)
    after, lasted_s = metrics(), time.perf_counter() - begun
    gaps: list[float] = page.evaluate("gaps")
    points: int = page.evaluate(
        "Math.max(...document.getElementById('timeline').data.slice(1).map(each => each.x.length))"
    )
    return {
        "busy_share": (after["TaskDuration"] - before["TaskDuration"]) / lasted_s,
        "frames_in_time": sum(gap <= IN_TIME_MS for gap in gaps) / len(gaps),
        "points": points,
        "heap_mb": after["JSHeapUsedSize"] / 1e6,
    }
