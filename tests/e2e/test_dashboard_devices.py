"""What becomes of the browser's microphone and camera where a session does not go as it should."""

import hashlib
import json
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Request, Route, WebSocketRoute, expect

from services.fusion.settings import FusionSettings
from services.fusion.store import SessionStore
from shared.messages import SessionEnded
from tests.e2e.made_up import MadeUp
from tests.stores import serving

READY_MS: Final = 60_000

_REMEMBER: Final = """() => {
    const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
    window.opened = [];
    devices.getUserMedia = async (wanted) => { const stream = await open(wanted); opened.push(stream); return stream; };
}"""

_STALL: Final = """() => {
    window.stalled = false;
    window.asked = { open: 0, stalled: 0 };
    const bufferedAmount = { get() { asked[stalled ? "stalled" : "open"] += 1; return stalled ? 3e6 : 0; } };
    window.WebSocket = class extends WebSocket {
        constructor(address) { super(address); Object.defineProperty(this, "bufferedAmount", bufferedAmount); }
    };
}"""


_REFUSE_OTHER_RATES: Final = """() => {
    window.rates = [];
    const connect = AudioContext.prototype.createMediaStreamSource;
    AudioContext.prototype.createMediaStreamSource = function (stream) {
        rates.push(this.sampleRate);
        if (this.sampleRate === 16000) throw new DOMException("different sample-rate", "NotSupportedError");
        return connect.call(this, stream);
    };
}"""
"""As Firefox does, which connects a microphone to a context of its own rate alone."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(bypass_csp=True)
    page.add_init_script(f"({_REMEMBER})()")
    yield page
    page.close()


def begin(page: Page) -> None:
    page.get_by_role("button", name="Start a session").click()
    page.get_by_label("Everyone who is heard or seen").check()
    page.get_by_role("button", name="Begin").click()


def take(socket: WebSocketRoute) -> None:
    """Take what comes until it is said that it ends, as the service does."""

    def answer(data: str | bytes) -> None:
        if isinstance(data, str):
            socket.send('{"ready": true}') if "token" in data else socket.close()

    socket.on_message(answer)


def expect_devices_released(page: Page) -> None:
    page.wait_for_function("opened.length > 0 && opened.every(stream => !stream.active)")
    assert page.evaluate("document.getElementById('preview').srcObject") is None


def test_a_session_that_is_refused_leaves_no_device_on(page: Page, store: SessionStore) -> None:
    with serving(store, FusionSettings(fusion_api_keys=(hashlib.sha256(b"key").hexdigest(),))) as address:
        page.goto(address)
        begin(page)
        page.wait_for_function("opened.length > 0")
        expect(page.get_by_role("alert")).to_contain_text("key")
        expect_devices_released(page)


def test_a_service_without_live_input_leaves_no_device_on(page: Page, address: str) -> None:
    page.goto(address)
    begin(page)
    expect(page.get_by_role("alert")).to_contain_text("takes no live sound")
    expect(page.locator("#capture")).to_be_hidden()
    expect_devices_released(page)


def test_sound_that_cannot_be_recorded_ends_the_session_and_leaves_no_device_on(page: Page, address: str) -> None:
    told: list[str | bytes] = []

    def take(socket: WebSocketRoute) -> None:
        def answer(data: str | bytes) -> None:
            told.append(data)
            socket.send('{"ready": true}')

        socket.on_message(answer)

    page.route_web_socket("**/live", take)
    page.add_init_script("AudioWorklet.prototype.addModule = () => Promise.reject(new Error('no module'))")
    page.goto(address)
    begin(page)
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong")
    expect_devices_released(page)
    assert json.loads(told[-1]) == {"end": True}


def test_a_session_can_be_ended_after_its_connection_broke(page: Page, address: str) -> None:
    sockets: list[WebSocketRoute] = []

    def take(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.on_message(lambda data: socket.send('{"ready": true}') if isinstance(data, str) else None)

    page.route_web_socket("**/live", take)
    page.goto(address)
    begin(page)
    expect(page.locator("#capture")).to_be_visible()
    page.wait_for_function("document.getElementById('preview').srcObject !== null")
    sockets[0].close()
    expect(page.locator("#capture")).to_be_hidden()
    expect(page.get_by_role("alert")).to_contain_text("The connection broke")
    expect_devices_released(page)
    page.get_by_role("button", name="End").click()
    expect(page.locator("#status")).to_have_text("complete", timeout=READY_MS)


def test_a_session_that_is_ended_elsewhere_is_recorded_no_more(page: Page, address: str, store: SessionStore) -> None:
    page.route_web_socket("**/live", take)
    page.goto(address)
    begin(page)
    expect(page.locator("#capture")).to_be_visible()
    expect(page.locator("#status")).to_have_text("going on")
    session_id = page.url.rpartition("/")[2]
    store.end(SessionEnded(session_id=session_id, duration_s=1, speech_chunks=0, frames=0))
    expect(page.locator("#status")).to_have_text("complete", timeout=READY_MS)
    expect_devices_released(page)
    expect(page.locator("#capture")).to_be_hidden()


def test_a_microphone_that_is_gone_ends_the_recording_and_says_so(page: Page, address: str) -> None:
    page.route_web_socket("**/live", take)
    page.goto(address)
    begin(page)
    expect(page.locator("#capture")).to_be_visible()
    page.wait_for_function("document.getElementById('preview').srcObject !== null")
    page.evaluate("opened[0].getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.get_by_role("alert")).to_contain_text("is gone")
    expect_devices_released(page)


def test_a_browser_that_converts_no_sound_is_heard_all_the_same(page: Page, address: str) -> None:
    blocks: list[int] = []

    def take(socket: WebSocketRoute) -> None:
        def answer(data: str | bytes) -> None:
            if isinstance(data, str):
                socket.send('{"ready": true}')
            elif data[0] == 0:
                blocks.append(len(data))

        socket.on_message(answer)

    page.route_web_socket("**/live", take)
    page.add_init_script(f"({_REFUSE_OTHER_RATES})()")
    page.goto(address)
    begin(page)
    page.wait_for_function("Number(document.getElementById('level').value) > 0.05")
    assert set(blocks) == {9 + 3200}
    assert page.evaluate("rates.length") == 2


def test_a_late_answer_is_not_shown_under_another_session(page: Page, address: str, store: SessionStore) -> None:
    low, high = MadeUp.begin(store), MadeUp.begin(store)
    high.go_on(450, 480)
    low.go_on(1400, 1430)
    page.goto(address)
    tokens = {each.session_id: each.token for each in (low, high)}
    page.evaluate("tokens => localStorage.setItem('mien.tokens', tokens)", json.dumps(tokens))
    late: list[Route] = []
    page.route(f"**/v1/sessions/{low.session_id}", lambda route: late.append(route))  # noqa: PLW0108  (as Playwright needs it)
    with page.expect_request(f"**/v1/sessions/{low.session_id}"):
        page.goto(f"{address}/#/s/{low.session_id}")
    page.goto(f"{address}/#/s/{high.session_id}")
    mood = page.locator("#mood .value")
    expect(mood).to_contain_text("of 5")
    shown = mood.inner_text()

    def is_late(request: Request) -> bool:
        return request.url.endswith(low.session_id)

    with page.expect_request_finished(is_late):
        late[0].continue_()
    page.evaluate("new Promise(resolve => setTimeout(resolve))")
    assert mood.inner_text() == shown


def test_sound_that_could_not_be_sent_is_a_gap(page: Page, address: str) -> None:
    begins: list[float] = []

    def take(socket: WebSocketRoute) -> None:
        def answer(data: str | bytes) -> None:
            if isinstance(data, str):
                socket.send('{"ready": true}')
            elif data[0] == 0:
                assert len(data) == 9 + 3200
                begins.append(struct.unpack_from("<d", data, 1)[0])

        socket.on_message(answer)

    page.route_web_socket("**/live", take)
    page.goto(address)
    page.evaluate(_STALL)
    begin(page)
    page.wait_for_function("asked.open > 10")
    page.evaluate("stalled = true")
    page.wait_for_function("asked.stalled > 10")
    page.evaluate("stalled = false")
    page.wait_for_function("asked.open > 40")
    steps = [round(after - before, 6) for before, after in pairwise(begins)]
    assert len(steps) > 5
    assert sum(step > 0.1 for step in steps) == 1
    assert sum(step == 0.1 for step in steps) == len(steps) - 1
    assert max(steps) > 0.25
