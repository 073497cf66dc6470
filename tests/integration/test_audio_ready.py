"""The voice's worker says that it is ready when its model is warm, and not before."""

import os
import signal
from threading import Event, Thread
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from services.audio.scorer import AudioScorer
from services.audio.worker import load_worker
from shared.emotions import Modality
from shared.service import run_worker
from tests.servers import free_port


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def _end_when_ready(port: int, answers: list[bool]) -> None:
    pause = Event()
    while not _is_ready(port):
        pause.wait(0.05)
    answers.append(True)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.usefixtures("process_as_it_was")
def test_readyz_says_no_until_the_warm_up_is_done(rabbitmq_vhost_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port, answers, warm_up = free_port(), list[bool](), AudioScorer.warm_up

    def asked_meanwhile(scorer: AudioScorer) -> None:
        answers.append(_is_ready(port))
        warm_up(scorer)
        answers.append(_is_ready(port))
        Thread(target=_end_when_ready, args=(port, answers), daemon=True).start()

    monkeypatch.setenv("AMQP_URL", rabbitmq_vhost_url)
    monkeypatch.setenv("WORKER_HEALTH_PORT", str(port))
    monkeypatch.setattr(AudioScorer, "warm_up", asked_meanwhile)
    assert run_worker(Modality.AUDIO, load_worker) == 0
    assert answers == [False, False, True]
