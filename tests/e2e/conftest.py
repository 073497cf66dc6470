"""Fixtures of the tests with a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from services.fusion.store import SessionStore, connect
from tests.e2e.browser import as_devices, chromium
from tests.e2e.command import SAMPLE
from tests.stores import serving


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that all tests share; each has pages or a context of its own."""
    with chromium(*as_devices(SAMPLE.absolute(), tmp_path_factory.mktemp("devices"))) as browser:
        yield browser


@pytest.fixture(scope="module")
def store(redis_url: str) -> SessionStore:
    """What the dashboard shows that is served at :func:`address`."""
    return SessionStore(connect(redis_url))


@pytest.fixture(scope="module")
def address(store: SessionStore) -> Iterator[str]:
    """Where a dashboard over the store is served."""
    with serving(store) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which no script fails."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    page.close()
    assert not faults
