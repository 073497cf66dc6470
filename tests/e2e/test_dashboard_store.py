"""The dashboard over sessions made up in the store: an hour, who listens, and a restart with a gap."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from services.fusion.state import Loss, Outcome
from services.fusion.store import SessionStore
from shared.emotions import Modality
from tests.e2e.browser import keep, no_grave_fault
from tests.e2e.made_up import READY_MS, MadeUp, show
from tests.servers import free_port

HOUR_S: Final = 3600


def drawn(page: Page, chart: str) -> list[int]:
    lengths: list[int] = page.evaluate("id => document.getElementById(id).data.map(trace => trace.x.length)", chart)
    return lengths


def test_an_empty_session_says_so_in_words(page: Page, address: str, store: SessionStore) -> None:
    nothing, nobody = MadeUp.begin(store), MadeUp.begin(store, (Modality.FACE,))
    nothing.end(0)
    show(page, address, nothing, drawn=False)
    for part, words in {
        "#mood": "There was not enough that could be judged.",
        "#timeline": "There was no second that could be judged.",
        "#words": "Nothing was said.",
        "#voice": "No voice was heard.",
        "#faces": "There was no picture.",
        "#course": "There was not enough that could be judged.",
    }.items():
        expect(page.locator(part)).to_have_text(words, timeout=READY_MS)
    keep(page, "session-empty")
    no_grave_fault(page)
    show(page, address, nobody, drawn=False)
    expect(page.locator("#words")).to_have_text("Nobody agreed to words being judged.", timeout=READY_MS)
    expect(page.locator("#voice")).to_have_text("Nobody agreed to the voice being judged.")
    expect(page.locator("#type")).to_be_hidden()


def test_a_wrong_token_is_said_in_words_with_a_way_back(page: Page, address: str, store: SessionStore) -> None:
    page.goto(f"{address}/#/s/{MadeUp.begin(store).session_id}")
    token = page.get_by_role("textbox", name="Token")
    expect(token).to_be_focused()
    expect(page.locator("#session")).to_be_hidden()
    page.keyboard.type("a guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("the token is not its own")
    expect(page.locator("#session")).to_be_hidden()
    keep(page, "wrong-token")
    page.get_by_role("link", name="All sessions").click()
    expect(page.locator("#home")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()


def test_the_report_stands_alone_in_either_light(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, 60)
    session.end(60)
    report = httpx.get(
        f"{address}/v1/sessions/{session.session_id}/report.html", headers={"Authorization": f"Bearer {session.token}"}
    )
    page.set_content(report.text)
    for heading in ("Over time", "How it went", "The mix", "What each says", "What was said"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    for moment in ("mean", "peak", "end"):
        expect(page.get_by_role("row", name=moment)).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        keep(page, f"report-{scheme}")
        no_grave_fault(page)


def test_an_hour_is_drawn_with_few_points_and_goes_on(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, HOUR_S)
    show(page, address, session)
    expect(page.locator("#words li[data-seq]")).to_have_count(HOUR_S // 10, timeout=READY_MS)
    band, *lines = drawn(page, "timeline")
    assert band <= 600
    assert all(100 <= line <= 300 for line in lines)
    assert max(drawn(page, "voice")) <= 60
    expect(page.locator("#faces rect")).to_have_count(1)
    first = page.locator("#words li[data-seq]").first
    expect(first).to_contain_text("A happy second 0.")
    expect(first.get_by_title("raises the mood of these words by 0.8")).to_have_text("happy")
    expect(first.locator(".lowers")).to_have_text("second")
    expect(page.locator("#words li[data-seq]")).to_have_count(HOUR_S // 10)
    keep(page, "hour")
    session.go_on(HOUR_S, HOUR_S + 60)
    expect(page.locator("#words li[data-seq]")).to_have_count(HOUR_S // 10 + 6, timeout=READY_MS)
    session.end(HOUR_S + 60)
    expect(page.locator("#course tbody tr")).to_have_count(3, timeout=READY_MS)


def test_a_second_without_evidence_is_a_gap_and_one_alone_is_seen(
    page: Page, address: str, store: SessionStore
) -> None:
    session = MadeUp.begin(store)
    store.apply([session.score(Modality.FACE, seq, at, 0) for seq, at in enumerate((0, 2, 3, 5, 7200))])
    show(page, address, session)
    lines: dict[str, list[list[float | None]]] = page.evaluate(
        "Object.fromEntries(document.getElementById('timeline').data.map(line => [line.name, [line.x, line.y]]))"
    )
    places, moods = lines["Together"]
    assert places == [0, 25, 25, 7200, 7225]
    assert [mood is None for mood in moods] == [False, False, True, False, False]
    assert page.locator("#timeline .xtick").last.text_content() == "2:00:00"


def test_times_are_told_with_their_hours(page: Page, address: str) -> None:
    page.goto(address)
    told = page.evaluate("import('/assets/view.js').then(view => [59.9, 70, 3605, 43210].map(view.seconds))")
    assert told == ["0:59", "1:10", "1:00:05", "12:00:10"]


@pytest.mark.parametrize(("voice", "apart"), [(2.9, False), (2.0, True)])
def test_the_page_says_that_they_disagree_where_the_result_does(
    page: Page, address: str, store: SessionStore, voice: float, *, apart: bool
) -> None:
    session = MadeUp.begin(store)
    moods = {Modality.TEXT: 4.0, Modality.AUDIO: voice, Modality.FACE: 4.0}
    store.apply([session.score(each, 0, 0, 10).model_copy(update={"mood": mood}) for each, mood in moods.items()])
    show(page, address, session)
    label = page.locator("#mood .label").text_content()
    assert label is not None
    assert ("words and voice disagree" in label) == apart
    assert f"of 5, {label}; between" in (page.locator("#mood .scale").get_attribute("aria-label") or "")
    note = "They disagree: words at 4.0, voice at 2.0. The range is wider for it." if apart else ""
    expect(page.locator("#disagreement")).to_have_text(note)
    assert (
        page.evaluate("document.getElementById('timeline').data.some(line => line.name === 'They disagree')") == apart
    )


def test_a_relative_session_is_drawn_on_one_scale_that_is_named(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store, baseline=4.2)
    session.go_on(0, 60)
    session.end(60)
    show(page, address, session)
    lines: dict[str, list[float | None]] = page.evaluate(
        "Object.fromEntries(document.getElementById('timeline').data.map(line => [line.name, line.y]))"
    )
    together, alone = lines["Together"], [lines[name] for name in ("Words", "Voice", "Face")]
    for mood, *said in zip(together, *alone, strict=True):
        known = [each for each in said if each is not None]
        assert mood is None or min(known) - 0.1 <= mood <= max(known) + 0.5, (mood, said)
    expect(page.locator("#timeline .ytitle")).to_have_text("mood, 3 is usual")
    expect(page.locator("#mood")).to_contain_text(
        re.compile(r"usual, which is 3 here\. Absolute: \d\.\d; usual: 4\.2\.")
    )
    expect(page.locator("#shares thead")).to_contain_text("absolute mood")
    expect(page.locator("#course thead")).to_contain_text("mood, 3 is usual")
    keep(page, "session-relative")


def test_what_is_judged_long_after_what_came_later_is_shown_in_its_place(
    page: Page, address: str, store: SessionStore
) -> None:
    session = MadeUp.begin(store)
    session.go_on(80, 160)
    show(page, address, session)
    words = page.locator("#words li[data-seq]")
    expect(words).to_have_count(8, timeout=READY_MS)
    session.go_on(0, 80)
    expect(words).to_have_count(16, timeout=READY_MS)
    expect(words.first).to_contain_text("second 0.")
    expect(page.get_by_label("Energy and pitch of 16 utterances")).to_be_attached()


def test_who_listens_is_told_of_changes_and_not_every_second(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, 40)
    show(page, address, session)
    page.evaluate(
        """() => { window.said = []; new MutationObserver(() => said.push(document.getElementById("said").textContent))
            .observe(document.getElementById("said"), { childList: true }); }"""
    )
    for end_s in range(60, 140, 20):
        session.go_on(end_s - 20, end_s)
        expect(page.locator("#words li[data-seq]")).to_have_count(end_s // 10, timeout=READY_MS)
    session.end(120)
    expect(page.locator("#status")).to_have_text("complete", timeout=READY_MS)
    expect(page.locator("#said")).to_have_text(re.compile(r"^Result: \d\.\d of 5, "))
    said = page.evaluate("said")
    assert len(said) == len(set(said)) <= 3, said
    tree = page.locator("body").aria_snapshot()
    for part in (
        'heading "Session" [level=1]',
        "status: complete",
        re.compile(r'status: "?Result: \d\.\d of 5'),
        re.compile(r'img "\d\.\d of 5, [a-z, ]+; between \d\.\d and \d\.\d with 80 % confidence"'),
        re.compile(r'img "Mood over \d+ seconds; at the end'),
        'list "What was said, with the mood of its words"',
        'list "The mix of emotions"',
        'group "What became of every piece"',
        'rowheader "forgotten"',
        'button "Delete"',
    ):
        assert re.search(part if isinstance(part, re.Pattern) else re.escape(part), tree), (part, tree)


def test_a_list_shows_moods_where_this_browser_may_read_them(page: Page, address: str, store: SessionStore) -> None:
    tokens = {}
    for _ in range(2):
        made = httpx.post(f"{address}/v1/sessions", json={"consent": True, "purpose": "personal"}).json()
        tokens[made["session_id"]] = made["token"]
    mine, other = tokens
    MadeUp(store, mine, tokens[mine]).go_on(0, 30)
    MadeUp(store, other, tokens[other]).go_on(0, 30)
    page.goto(address)
    page.evaluate("tokens => localStorage.setItem('mien.tokens', tokens)", json.dumps({mine: tokens[mine]}))
    page.reload()
    expect(page.locator("tr", has_text=mine).locator("td.number")).to_have_text(re.compile(r"\d\.\d"), timeout=READY_MS)
    expect(page.locator("tr", has_text=other).locator("td.number")).to_have_text(re.compile(r"^\W$"))
    keep(page, "list")


@contextmanager
def service(port: int, rabbitmq_url: str, redis_url: str) -> Iterator[None]:
    """``python -m services.fusion``, killed at the end."""
    environment = {**os.environ, "FUSION_PORT": str(port), "AMQP_URL": rabbitmq_url, "REDIS_URL": redis_url}
    command = [sys.executable, "-m", "services.fusion"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert any('"message": "ready"' in line for line in process.stderr)
            yield
        finally:
            process.kill()


def test_a_session_is_followed_across_a_restart_of_the_service(
    page: Page, rabbitmq_vhost_url: str, redis_url: str, store: SessionStore
) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    def lose(seqs: range) -> None:
        store.apply(
            [
                Loss(
                    session_id=made["session_id"],
                    modality=Modality.FACE,
                    seq=n,
                    cause="maxlen",
                    outcome=Outcome.EXPIRED,
                )
                for n in seqs
            ]
        )

    with service(port, rabbitmq_vhost_url, redis_url):
        made = httpx.post(f"{base}/v1/sessions", json={"consent": True, "purpose": "personal"}).json()
        page.goto(f"{base}/#/s/{made['session_id']}")
        page.get_by_role("textbox", name="Token").fill(made["token"])
        page.get_by_role("button", name="Open").click()
        lose(range(2))
        expired = page.locator("#accounting tr", has_text="expired").locator("td").last
        expect(expired).to_have_text("2", timeout=READY_MS)
    expect(page.locator("#status")).to_have_text("connection lost; trying again", timeout=READY_MS)
    keep(page, "connection-lost")
    lose(range(2, 1300))
    with service(port, rabbitmq_vhost_url, redis_url):
        expect(expired).to_have_text("1300", timeout=READY_MS)
        expect(page.locator("#status")).to_have_text("going on")
    assert store.events.gap_after(made["session_id"], "0-1") is not None
