"""The dashboard of the real service goes on where it was after the service restarts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from playwright.sync_api import expect

from services.fusion.state import Loss, Outcome
from services.fusion.store import SessionStore, connect
from shared.emotions import Modality
from tests.e2e.browser import as_devices, chromium, keep
from tests.e2e.command import SAMPLE
from tests.servers import free_port

READY_MS: Final = 60_000


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
    rabbitmq_vhost_url: str, redis_url: str, tmp_path: Path
) -> None:
    port, store = free_port(), SessionStore(connect(redis_url))
    base = f"http://127.0.0.1:{port}"

    def lose(seqs: range) -> None:
        for seq in seqs:
            store.lose(
                Loss(session_id=made["session_id"], modality=Modality.FACE, seq=seq, cause="x", outcome=Outcome.EXPIRED)
            )

    with chromium(*as_devices(SAMPLE.absolute(), tmp_path)) as browser:
        page = browser.new_page()
        with service(port, rabbitmq_vhost_url, redis_url):
            made = httpx.post(f"{base}/v1/sessions", json={"consent": True, "purpose": "personal"}).json()
            page.goto(f"{base}/#/s/{made['session_id']}")
            page.get_by_role("textbox", name="Token").fill(made["token"])
            page.get_by_role("button", name="Open").click()
            lose(range(2))
            expired = page.locator("#accounting tbody tr").last.locator("td").last
            expect(expired).to_have_text("2", timeout=READY_MS)
        expect(page.locator("#status")).to_have_text("connection lost; trying again", timeout=READY_MS)
        keep(page, "connection-lost")
        lose(range(2, 5))
        with service(port, rabbitmq_vhost_url, redis_url):
            expect(expired).to_have_text("5", timeout=READY_MS)
            expect(page.locator("#status")).to_have_text("going on")
