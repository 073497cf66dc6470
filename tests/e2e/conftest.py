"""Fixtures of the tests with a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import as_devices, chromium
from tests.e2e.command import SAMPLE


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that all tests share; each has pages or a context of its own."""
    with chromium(*as_devices(SAMPLE.absolute(), tmp_path_factory.mktemp("devices"))) as browser:
        yield browser
