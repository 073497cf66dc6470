"""A worker whose port another program has says so in one sentence, and which settings to change."""

import socket

import pytest

from services.face.worker import load_worker
from shared.emotions import Modality
from shared.service import run_worker


@pytest.mark.usefixtures("process_as_it_was")
def test_a_port_in_use_is_named(
    rabbitmq_vhost_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AMQP_URL", rabbitmq_vhost_url)
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("WORKER_HEALTH_PORT", str(port))
        assert run_worker(Modality.FACE, load_worker) == 1
    assert capsys.readouterr().err == (
        f"Cannot listen on 127.0.0.1 port {port} (Address already in use); "
        "set WORKER_HEALTH_HOST and WORKER_HEALTH_PORT.\n"
    )
