"""The dashboard in a real browser: a recording, a live session, typed words, deleting, and who can use it."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.browser import keep, no_grave_fault
from tests.e2e.command import SAMPLE

READY_MS: Final = 60_000


@pytest.fixture(scope="module")
def link() -> Iterator[str]:
    """What ``mien serve`` prints."""
    command = [sys.executable, "-m", "services", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in {0, -signal.SIGTERM}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, link: str) -> Iterator[Page]:
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(link)
    yield page
    assert not faults


def agree(page: Page) -> None:
    begin = page.get_by_role("button", name="Begin")
    expect(begin).to_be_disabled()
    page.get_by_label("Everyone who is heard or seen").check()
    begin.click()


def hold(page: Page, method: str, part: str, held: dict[str, Route]) -> None:
    """Keep the requests of a method for a part of a session until the test lets them go."""

    def keep_back(route: Route) -> None:
        if route.request.method == method:
            held[method] = route
        else:
            route.fallback()

    page.route(re.compile(rf"/v1/sessions/[^/]+{part}$"), keep_back)


def taken(page: Page, method: str, held: dict[str, Route]) -> Route:
    """Return what is held; the browser's events come in while it is asked something."""
    asked = 0
    while method not in held and (asked := asked + 1) < 2000:
        page.evaluate("0")
    return held[method]


def upload(page: Page) -> None:
    page.set_input_files("#file", SAMPLE)
    agree(page)


def test_the_link_opens_the_list_and_keeps_its_key_out_of_the_address(page: Page) -> None:
    expect(page.get_by_text("No session yet")).to_be_visible()
    assert "key" not in page.url
    paints = []
    for _ in range(3):
        page.reload()
        expect(page.get_by_text("No session yet")).to_be_visible()
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    assert min(paints) < 1000
    keep(page, "list-empty")
    no_grave_fault(page)


def test_a_link_to_a_session_opens_it_and_keeps_its_token_out_of_the_address(
    context: BrowserContext, link: str
) -> None:
    address, _, key = link.partition("/#key=")
    wanted = {"consent": True, "purpose": "personal"}
    made = httpx.post(f"{address}/v1/sessions", json=wanted, headers={"X-API-Key": key}).json()
    page = context.new_page()
    page.goto(f"{address}/#session={made['session_id']}&token={made['token']}")
    expect(page.get_by_text(made["session_id"])).to_be_visible()
    expect(page.locator("#status")).to_have_text("going on")
    assert page.url.endswith(f"/#/s/{made['session_id']}")


def test_without_the_key_the_page_says_what_to_do(context: BrowserContext, link: str) -> None:
    page = context.new_page()
    page.goto(link.partition("#")[0])
    expect(page.get_by_role("alert")).to_contain_text("key")


def test_a_recording_is_dropped_watched_exported_and_deleted(page: Page) -> None:
    upload(page)
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#status")).to_have_text("complete", timeout=READY_MS)
    expect(page.locator("#mood .value")).to_contain_text("of 5")
    expect(page.locator("#words li")).to_have_count(3)
    expect(page.locator("#timeline .scatterlayer .trace").first).to_be_attached()
    expect(page.locator("#voice .scatterlayer .trace").first).to_be_attached()
    expect(page.locator("#accounting tbody tr")).to_have_count(6)
    expect(page.locator("#course tbody tr")).to_have_count(3)
    expect(page.locator("#faces rect")).to_have_count(1)
    expect(page.locator("#progress")).to_be_hidden()
    keep(page, "session-light")
    no_grave_fault(page)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(16, 22, 28)")
    keep(page, "session-dark")
    no_grave_fault(page)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator("html")).to_have_js_property("scrollWidth", 360)
    keep(page, "session-360")
    export(page)
    delete(page)


def export(page: Page) -> None:
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="All data (JSON)").click()
    result = json.loads(Path(waiting.value.path()).read_text())
    assert result["status"] == "complete"


def delete(page: Page) -> None:
    session_id = page.locator("#session-id").inner_text()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#session")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#home")).to_be_visible()
    expect(page.locator("#list > *").first).to_be_attached()
    expect(page.locator("#list").get_by_text(session_id)).to_have_count(0)


def test_a_session_with_the_microphone_and_camera_of_the_browser(page: Page) -> None:
    page.get_by_role("button", name="Start a session").click()
    keep(page, "consent")
    no_grave_fault(page)
    agree(page)
    expect(page.locator("#capture")).to_be_visible()
    expect(page.locator("#words li[data-seq]").first).to_be_visible(timeout=READY_MS)
    expect(page.locator("#faces rect").first).to_be_attached(timeout=READY_MS)
    keep(page, "live")
    page.get_by_role("button", name="Stop and see the result").click()
    expect(page.locator("#status")).to_have_text("complete", timeout=READY_MS)
    expect(page.locator("#mood .value")).to_contain_text("of 5")
    expect(page.locator("#capture")).to_be_hidden()


def test_typed_words_are_judged_with_the_keyboard_alone(page: Page, link: str) -> None:
    base, _, key = link.partition("/#key=")
    made = httpx.post(f"{base}/v1/sessions", json={"consent": True, "purpose": "personal"}, headers={"X-API-Key": key})
    page.goto(f"{base}/#/s/{made.json()['session_id']}")
    page.get_by_role("textbox", name="Token").fill(made.json()["token"])
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    field = page.get_by_label("Add words of your own")
    expect(field).to_be_visible()
    field.focus()
    page.keyboard.type("What a wonderful day, I am so happy!")
    page.keyboard.press("Enter")
    expect(page.locator("#words li[data-seq]")).to_contain_text("wonderful", timeout=READY_MS)
    expect(page.locator("#mood .value")).to_be_visible()
    page.get_by_role("button", name="End").press("Enter")
    expect(page.locator("#status")).to_have_text("complete", timeout=READY_MS)


def test_what_is_no_recording_is_said_in_words(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("These are words, not a recording.")
    page.set_input_files("#file", letter)
    agree(page)
    expect(page.get_by_role("alert")).to_contain_text(re.compile("not a media file"))
    expect(page.locator("#home")).to_be_visible()
    keep(page, "not-a-recording")


def test_what_failed_is_said_also_where_the_page_learns_first_that_the_session_is_gone(
    page: Page, tmp_path: Path
) -> None:
    """The slowest order of a real network: nothing of the events arrives before the session is erased."""
    held: dict[str, Route] = {}
    for method, part in (("GET", "/events"), ("POST", "/media"), ("DELETE", "")):
        hold(page, method, part, held)
    letter = tmp_path / "letter.mp4"
    letter.write_text("These are words, not a recording.")
    page.set_input_files("#file", letter)
    agree(page)
    following = taken(page, "GET", held)
    taken(page, "POST", held).continue_()
    erasing = taken(page, "DELETE", held)
    erased = erasing.fetch()
    if not following.request.failure:
        following.continue_()
        expect(page.locator("#home")).to_be_visible()
    erasing.fulfill(response=erased)
    expect(page.locator("#home")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("not a media file")
