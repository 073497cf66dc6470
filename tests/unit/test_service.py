"""A setting that is wrong ends a service in one sentence that names it and shows nothing of a password."""

from collections.abc import Callable

import pytest

from services.cli.doctor import examine
from services.cli.findings import State
from services.fusion.__main__ import main as run_fusion
from shared.emotions import Modality
from shared.log import configure_logging
from shared.service import run_worker
from shared.settings import WorkerSettings

PASSWORDS = ("se/cret#1", "se#cret", "se?cret=1", "12/cret", "12?cret=1", "12#cret", "se[cret", "se@/cret", "cret:1/")
URLS = (
    *(f"amqp://mien:{password}@rabbit:5672/" for password in PASSWORDS),
    "amqp://mien:cret@rabbit:99999/",
    "amqp://mien:cret@rabbit:0/",
    "amqp://mien:cret@rabbit/%2F?heartbeat=abc",
    "amqp://mien:cret@rabbit/%2F?foo=abc",
    "amqp://mien:cret@rabbit/%2F?client_properties={",
)


def _no_worker(*_: object) -> None:
    pytest.fail("the model is loaded although a setting is wrong")


def _run_worker() -> int:
    return run_worker(Modality.AUDIO, _no_worker)  # type: ignore[arg-type]


def _says_one_sentence(run: Callable[[], int], said: pytest.CaptureFixture[str], *words: str) -> None:
    assert run() == 1
    sentence = said.readouterr().err
    assert sentence.count("\n") == 1
    assert all(word in sentence for word in words), sentence
    assert "Traceback" not in sentence
    assert not any(secret in sentence for secret in ("cret", "'se'", "'12'", "mien:")), sentence


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize("url", URLS)
def test_a_broker_url_that_cannot_be(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AMQP_URL", url)
    _says_one_sentence(_run_worker, capsys, "AMQP_URL")
    monkeypatch.delenv("REDIS_URL", raising=False)
    found = {each.subject: each for each in examine(fusion_url=None, with_models=False)}["broker"]
    assert found.state is State.FAILED
    assert "AMQP_URL" in found.finding
    assert "cret" not in found.finding


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_redis_url_that_cannot_be(
    password: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://mien:{password}@redis:6379/0")
    _says_one_sentence(run_fusion, capsys, "REDIS_URL")


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("LOG_LEVEL", "verbose", "'INFO'"),
        ("WORKER_BATCH_SIZE", "0", "greater than or equal to 1"),
        ("WORKER_HEALTH_PORT", "http", "integer"),
        ("AMQP_HEARTBEAT_S", "often", "integer"),
    ],
)
def test_what_is_wrong_is_named_as_it_is_set(
    variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    _says_one_sentence(_run_worker, capsys, variable, says)


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize("level", ["debug", "Info", "WARNING", "error", "CRITICAL"])
def test_a_level_is_taken_in_any_case(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    configure_logging("test", WorkerSettings().log_level)
    assert WorkerSettings().log_level == level.upper()
