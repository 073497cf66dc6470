"""What the fusion worker counts."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import REGISTRY

from services.fusion.metrics import count_dead, count_kept
from shared.broker.port import Cause
from shared.emotions import Modality
from shared.messages import FaceDetails, ModalityScore, ModelRef, Status


@dataclass(frozen=True)
class Died:
    """How a message died."""

    queue: str
    cause: Cause


def _value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def _score(captured_at: datetime | None) -> ModalityScore:
    return ModalityScore(
        session_id="session-0001", modality=Modality.FACE, seq=0, captured_at=captured_at, start_s=0, end_s=0,
        status=Status.ABSTAINED, reason="no_face", details=FaceDetails(), model=ModelRef(name="model", version="1"),
    )  # fmt: skip


def test_lag_runs_from_capture_and_a_clock_that_is_ahead_makes_none() -> None:
    before = _value("mien_lag_seconds_sum", modality="face")
    count_kept(_score(datetime.now(UTC) - timedelta(seconds=30)))
    assert 30 <= _value("mien_lag_seconds_sum", modality="face") - before < 90
    after = _value("mien_lag_seconds_sum", modality="face")
    count_kept(_score(datetime.now(UTC) + timedelta(seconds=30)))
    assert _value("mien_lag_seconds_sum", modality="face") == after


def test_a_score_of_an_older_worker_is_counted_without_lag() -> None:
    kept = _value("mien_scores_kept_total", modality="face", status="abstained")
    timed = _value("mien_lag_seconds_count", modality="face")
    count_kept(_score(None))
    assert _value("mien_scores_kept_total", modality="face", status="abstained") == kept + 1
    assert _value("mien_lag_seconds_count", modality="face") == timed


def test_names_that_a_sender_made_up_are_counted_as_one() -> None:
    before = _value("mien_dead_letters_total", queue="unknown", cause="rejected")
    for number in range(3):
        count_dead(Died(f"made-up-{number}", Cause.REJECTED))
    assert _value("mien_dead_letters_total", queue="unknown", cause="rejected") == before + 3
    count_dead(Died("mien.text", Cause.EXPIRED))
    count_dead(None)
    assert _value("mien_dead_letters_total", queue="mien.text", cause="expired") >= 1
    assert _value("mien_dead_letters_total", queue="unknown", cause="unknown") >= 1
