"""What is forgotten is gone from the page too: words, charts, what is told to who listens, and what was on its way."""

import re

from playwright.sync_api import Page, Route, expect

from services.fusion.store import SessionStore
from shared.messages import SessionForget
from tests.e2e.browser import keep
from tests.e2e.made_up import READY_MS, MadeUp, show


def test_the_last_minute_is_forgotten_on_the_page_too(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, 200)
    show(page, address, session)
    expect(page.locator("#words li[data-seq]")).to_have_count(20, timeout=READY_MS)
    page.get_by_role("button", name="Forget the last minute").click()
    expect(page.locator("#words li[data-seq]")).to_have_count(14)
    expect(page.get_by_role("alert")).to_contain_text("forgotten")
    forgotten = page.locator("#accounting tr", has_text="forgotten").locator("td")
    expect(forgotten).to_have_text(["6", "6", "30"], timeout=READY_MS)
    session.go_on(180, 200)
    expect(page.locator("#words li[data-seq]")).to_have_count(14)
    store.forget(SessionForget(session_id=session.session_id, start_s=0, end_s=50))
    expect(page.locator("#words li[data-seq]")).to_have_count(9, timeout=READY_MS)
    expect(page.locator("#words")).not_to_contain_text(re.compile(r"second (40|150)\."))
    keep(page, "forgotten")


def test_where_everything_is_forgotten_nothing_of_it_stays(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, 40)
    show(page, address, session)
    expect(page.locator("#said")).to_have_text(re.compile("^Mood now: "))
    expect(page.get_by_label("Energy and pitch of 4 utterances")).to_be_attached()
    store.forget(SessionForget(session_id=session.session_id, start_s=0, end_s=60))
    expect(page.locator("#timeline")).to_have_text("The line begins with the first second that can be judged.")
    expect(page.locator("#voice")).to_have_text("No voice was heard yet.")
    expect(page.locator("#words")).to_have_text("Nothing was said yet.")
    expect(page.locator("#mood")).to_have_text("There is not enough to judge yet.")
    expect(page.locator("#timeline")).to_have_attribute("aria-label", "Mood over time")
    expect(page.locator("#voice")).to_have_attribute("aria-label", "Energy and pitch over time")
    expect(page.locator("#said")).to_be_empty()
    session.go_on(60, 80)
    expect(page.locator("#timeline .scatterlayer .trace").first).to_be_attached(timeout=READY_MS)
    expect(page.get_by_label("Energy and pitch of 2 utterances")).to_be_attached()


def test_what_was_on_its_way_when_it_was_forgotten_is_not_shown(page: Page, address: str, store: SessionStore) -> None:
    session = MadeUp.begin(store)
    session.go_on(0, 40)
    show(page, address, session)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/evidence?modality=text*", hold, times=1)
    with page.expect_request("**/evidence?modality=text*"):
        session.go_on(40, 80)
    expect(page.locator("#accounting tr", has_text="scored").locator("td").first).to_have_text("8")
    [late] = held
    answer = late.fetch()
    store.forget(SessionForget(session_id=session.session_id, start_s=0, end_s=55))
    expect(page.locator("#accounting tr", has_text="forgotten").locator("td").first).to_have_text("6")
    late.fulfill(response=answer)
    expect(page.locator("#words li[data-seq]")).to_have_count(2, timeout=READY_MS)
    expect(page.locator("#words li[data-seq]").first).to_contain_text("second 60.")
