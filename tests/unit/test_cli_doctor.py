"""What the doctor makes of what it is told."""

import json
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from services.cli.doctor import _clock, _durability, _fusion, examine
from services.cli.findings import Finding, State, show


@pytest.mark.parametrize(
    ("skew_s", "unsure_s", "state"),
    [
        (0.1, 0.0, State.GOOD),
        (-0.7, 0.01, State.WARNING),
        (-0.7, 0.4, State.GOOD),
        (2.0, 1.0, State.WARNING),
        (-60.0, 2.0, State.FAILED),
    ],
)
def test_clocks_that_differ_by_more_than_the_way_there_are_told_of(
    skew_s: float, unsure_s: float, state: State
) -> None:
    assert _clock("clock", skew_s, unsure_s).state is state


def test_a_redis_that_would_lose_or_evict_sessions_is_told_of() -> None:
    told = {
        "aof_enabled": 1,
        "aof_last_write_status": "ok",
        "maxmemory_policy": "noeviction",
        "used_memory_human": "1M",
    }
    assert [each.state for each in _durability(told)] == [State.GOOD, State.GOOD]
    worse = {**told, "aof_last_write_status": "err", "maxmemory_policy": "allkeys-lru"}
    file, memory = _durability(worse)
    assert (file.state, memory.state) == (State.WARNING, State.FAILED)
    assert "maxmemory-policy noeviction" in memory.finding


def test_a_setting_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URL", "http://secret@host")
    monkeypatch.setenv("REDIS_URL", "http://secret@host")
    findings = {each.subject: each for each in examine(fusion_url=None, with_models=False)}
    assert findings["broker"].state is findings["Redis"].state is State.FAILED
    assert "REDIS_URL" in findings["Redis"].finding
    assert "AMQP_URL" in findings["broker"].finding
    assert "secret" not in str(findings)


def test_what_is_not_asked_for_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AMQP_URL", "REDIS_URL"):
        monkeypatch.delenv(variable, raising=False)
    findings = {each.subject: each.state for each in examine(fusion_url=None, with_models=False)}
    assert {findings[each] for each in ("broker", "Redis", "fusion")} == {State.SKIPPED}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b'{"detail": "Redis does not answer."}', "Redis does not answer."),
        (b"<html>No upstream</html>", "HTTP Error 503: Service Unavailable"),
        (b"[]", "HTTP Error 503: Service Unavailable"),
    ],
)
def test_a_service_that_is_not_ready_says_why_and_a_proxy_before_it_does_not(answer: bytes, why: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        (finding,) = _fusion(f"http://127.0.0.1:{server.server_address[1]}")
        thread.join()
    assert (finding.state, finding.finding) == (State.FAILED, f"It is not ready: {why}")


@pytest.mark.parametrize(("state", "code"), [(State.WARNING, 0), (State.FAILED, 1)])
def test_the_exit_code_says_whether_something_must_be_mended(
    state: State, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show([Finding("broker", state, "It stands so.")], as_json=True) == code
    assert json.loads(capsys.readouterr().out)["healthy"] is (code == 0)
    assert show([Finding("broker", state, "It stands so.")], as_json=False) == code
    assert "It stands so." in capsys.readouterr().out


def test_advice_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show([Finding("model audio", State.SKIPPED, "install mien[audio]")], as_json=False)
    assert "install mien[audio]" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["fusion.example", "http://fusion.example:port", "http://[bad", "http://a b/"])
def test_what_is_no_address_is_a_finding(url: str) -> None:
    (finding,) = _fusion(url)
    assert finding.state is State.FAILED
    assert "Nothing answers at" in finding.finding


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", State.GOOD, id="its proxy hides its clock"),
        pytest.param(b"SSH-2.0-nobody\r\n", State.FAILED, id="it speaks no HTTP"),
    ],
)
def test_an_unusual_answer_is_one_finding(answer: bytes, state: State) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_answer, args=(server, answer))
        thread.start()
        (finding,) = _fusion(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert finding.state is state


def _answer(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)
