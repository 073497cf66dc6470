"""The dashboard where answers come late, fail, or find another session shown."""

import hashlib
import json
import re
from typing import Final

from playwright.sync_api import Page, Route, expect

from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from tests.e2e.command import SAMPLE
from tests.e2e.made_up import READY_MS, MadeUp, show
from tests.stores import serving

_RECORD: Final = """async (tone_hz) => {
    const context = new OfflineAudioContext(1, 48000, 48000);
    await context.audioWorklet.addModule("/assets/recorder.js");
    const tone = new OscillatorNode(context, { frequency: tone_hz });
    const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    const blocks = [];
    recorder.port.onmessage = ({ data }) => blocks.push(...new Int16Array(data.pcm.slice(9)));
    tone.connect(recorder);
    tone.connect(context.destination);
    tone.start();
    await context.startRendering();
    while (blocks.length < 14400) await new Promise((resolve) => setTimeout(resolve));
    let crossings = 0, power = 0;
    for (let at = 1601; at < 14400; at += 1) {
        crossings += blocks[at - 1] < 0 && blocks[at] >= 0;
        power += (blocks[at] / 32767) ** 2 / 12799;
    }
    return { hz: crossings / 0.8, rms: Math.sqrt(power) };
}"""


def open_made_up(page: Page, address: str, session: MadeUp) -> None:
    """Paste its link into the page, which may be open already."""
    link = f"#session={session.session_id}&token={session.token}"
    page.goto(address) if page.url == "about:blank" else None
    page.evaluate("link => { location.hash = link; }", link)


def test_a_link_that_is_pasted_into_an_open_page_is_taken_and_its_token_hidden(
    page: Page, address: str, store: SessionStore
) -> None:
    session = MadeUp.begin(store)
    open_made_up(page, address, session)
    expect(page.get_by_text(session.session_id)).to_be_visible()
    expect(page.locator("#status")).to_have_text("going on")
    assert page.url.endswith(f"/#/s/{session.session_id}")


def test_a_page_without_a_key_says_how_it_gets_one(page: Page, store: SessionStore) -> None:
    keys = (hashlib.sha256(b"right").hexdigest(),)
    with serving(store, FusionSettings(fusion_api_keys=keys)) as address:
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("#key=")
        page.evaluate("location.hash = '#key=right'")
        expect(page.get_by_role("alert")).to_be_empty()
        assert "right" not in page.url


def test_a_recording_that_fails_leaves_the_session_alone_that_is_shown_meanwhile(
    page: Page, address: str, store: SessionStore
) -> None:
    held: list[Route] = []
    page.route("**/media", lambda route: held.append(route))  # noqa: PLW0108  (as Playwright needs it)
    page.goto(address)
    page.set_input_files("#file", SAMPLE)
    page.get_by_label("Everyone who is heard or seen").check()
    with page.expect_request("**/media"):
        page.get_by_role("button", name="Begin").click()
    other = MadeUp.begin(store)
    open_made_up(page, address, other)
    expect(page.locator("#status")).to_have_text("going on")
    held[0].continue_()
    expect(page.get_by_role("alert")).to_contain_text("reads no recordings")
    expect(page.get_by_text(other.session_id)).to_be_visible()
    assert page.url.endswith(other.session_id)


def test_words_leave_their_field_at_once_and_come_back_where_they_are_refused(
    page: Page, address: str, store: SessionStore
) -> None:
    held: list[Route] = []
    page.route("**/text", lambda route: held.append(route))  # noqa: PLW0108  (as Playwright needs it)
    show(page, address, MadeUp.begin(store), drawn=False)
    field = page.get_by_label("Add words of your own")
    for typed_meanwhile in ("", "and more"):
        with page.expect_request("**/text"):
            field.fill("some words")
            field.press("Enter")
        expect(field).to_have_value("")
        field.fill(typed_meanwhile)
        with page.expect_response("**/text"):
            held.pop().continue_()
        expect(page.get_by_role("alert")).to_contain_text("try again")
        expect(field).to_have_value(typed_meanwhile or "some words")


def test_a_table_that_is_drawn_anew_keeps_its_reader(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, 40)
    show(page, address, session)
    scored = page.locator("#accounting tr", has_text="scored").locator("td").first
    expect(scored).to_have_text("4", timeout=READY_MS)
    box = page.locator("#accounting .scroll")
    box.focus()
    session.go_on(40, 80)
    expect(scored).to_have_text("8", timeout=READY_MS)
    expect(box).to_be_focused()


def test_a_deletion_that_fails_leaves_the_session_shown(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, 40)
    show(page, address, session)

    def refuse(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=503, body=json.dumps({"detail": "The store is away."}))
        else:
            route.fallback()

    page.route(re.compile("/v1/sessions/[^/]+$"), refuse)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert")).to_contain_text("The store is away.")
    session.go_on(40, 80)
    scored = page.locator("#accounting tr", has_text="scored").locator("td").first
    expect(scored).to_have_text("8", timeout=READY_MS)


def test_sound_of_another_rate_is_converted_without_what_would_fold_back(page: Page, address: str) -> None:
    page.goto(address)
    heard = page.evaluate(_RECORD, 440)
    assert abs(heard["hz"] - 440) < 3
    assert abs(heard["rms"] - 0.707) < 0.01
    assert page.evaluate(_RECORD, 6000)["rms"] > 0.65
    assert page.evaluate(_RECORD, 11000)["rms"] < 0.002
