"""``make audit`` asks an advisory database of every locked package, and says what it has learnt."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[2]
AUDIT = ROOT / "deploy/requirements/audit.sh"
LOCK = ROOT / "deploy/requirements/dev.txt"
PIP_AUDIT = Path(sys.executable).with_name("pip-audit")
FLAWED = "redis"


class Advisories(ThreadingHTTPServer):
    """A database that speaks as OSV's does and holds one flaw, or none; it remembers of which packages it was asked."""

    def __init__(self, *, flawed: bool, works: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.flawed, self.works = flawed, works
        self.asked: set[str] = set()

    def answer(self, package: str) -> object:
        """Return what is known of a package."""
        self.asked.add(package)
        if not (self.flawed and package == FLAWED):
            return {}
        affected = {"package": {"name": package, "ecosystem": "PyPI"}}
        return {"vulns": [{"id": "MIEN-2000-1", "summary": "Anybody may come in.", "affected": [affected]}]}


class _Answer(BaseHTTPRequestHandler):
    server: Advisories

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(self.server.answer(asked["package"]["name"])).encode()
        self.send_response(200 if self.server.works else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def advisories(*, flawed: bool = False, works: bool = True) -> Iterator[Advisories]:
    with Advisories(flawed=flawed, works=works) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def audit(server: Advisories, cache: Path) -> subprocess.CompletedProcess[str]:
    url = f"http://127.0.0.1:{server.server_port}/v1/query"
    command = f"{PIP_AUDIT} --vulnerability-service osv --osv-url {url} --cache-dir {cache}"
    environment = os.environ | {"PIP_AUDIT": command}
    return subprocess.run(["sh", str(AUDIT)], capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(autouse=True)
def installed() -> None:
    if not PIP_AUDIT.is_file():
        pytest.skip("pip-audit is not installed: it is part of the extra mien[dev]")


def test_a_flaw_is_named_and_fails_the_command(tmp_path: Path) -> None:
    with advisories(flawed=True) as server:
        done = audit(server, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert FLAWED in done.stdout
    assert "MIEN-2000-1" in done.stdout
    assert "make lock" in done.stdout


def test_every_locked_package_is_asked_for_and_none_is_flawed(tmp_path: Path) -> None:
    with advisories() as server:
        done = audit(server, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    locked = {line.split("==")[0] for line in LOCK.read_text().splitlines() if "==" in line and line[0] not in " #"}
    assert server.asked >= {name for name in locked if "[" not in name}


def test_a_database_that_does_not_answer_is_no_acquittal(tmp_path: Path) -> None:
    with advisories(works=False) as server:
        done = audit(server, tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "nothing is known" in done.stderr
