"""What is read out of metrics, and what happened between two looks."""

import math
import socket
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from services.cli.top import Look, look, quantile, read_metrics, rows_between, table_of
from shared.errors import MienError
from tests.servers import free_port

METRICS = """# TYPE mien_scores_kept counter
mien_scores_kept_total{modality="text",status="scored"} %d
mien_scores_kept_total{modality="text",status="failed"} %d
# TYPE mien_lag_seconds histogram
mien_lag_seconds_bucket{le="0.5",modality="text"} %d
mien_lag_seconds_bucket{le="1.0",modality="text"} %d
mien_lag_seconds_bucket{le="+Inf",modality="text"} %d
# TYPE mien_queue_messages gauge
mien_queue_messages{queue="mien.text"} 4.0
# TYPE mien_queue_consumers gauge
mien_queue_consumers{queue="mien.text"} 2.0
# TYPE mien_sessions_live gauge
mien_sessions_live 3.0
"""


def _look(at: float, *counts: int) -> Look:
    return read_metrics(METRICS % counts, at)


def test_rates_lag_and_failures_are_those_between_two_looks() -> None:
    before, after = _look(10, 100, 0, 90, 95, 100), _look(12, 106, 2, 90, 103, 108)
    (row,) = [row for row in rows_between(before, after) if row.queue == "mien.text"]
    assert (row.waiting, row.workers, after.sessions) == (4, 2, 3)
    assert row.per_s == 4
    assert row.failed_share == 0.25
    assert row.lag_p50_s == 0.75
    assert row.lag_p95_s == pytest.approx(0.975)


def test_a_fusion_service_that_began_anew_counts_from_nothing() -> None:
    before, after = _look(10, 100, 5, 90, 95, 100), _look(12, 6, 0, 6, 6, 6)
    (row,) = [row for row in rows_between(before, after) if row.queue == "mien.text"]
    assert row.per_s == 3
    assert row.failed_share == 0


def test_what_nobody_could_say_is_left_open() -> None:
    rows = rows_between(Look(at=0), Look(at=1))
    assert rows
    assert all(row.waiting is row.workers is row.per_s is row.lag_p95_s is None for row in rows)


def test_without_a_score_there_is_no_lag() -> None:
    same = _look(10, 100, 0, 90, 95, 100)
    (row,) = [row for row in rows_between(same, same) if row.queue == "mien.text"]
    assert (row.per_s, row.failed_share, row.lag_p50_s) == (0, None, None)


@given(st.lists(st.floats(0, 9.99), min_size=1), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    bounds = [*map(float, range(1, 11)), math.inf]
    found = quantile(share, {bound: float(sum(value <= bound for value in values)) for bound in bounds})
    true = float(np.quantile(values, share, method="inverted_cdf"))
    assert found is not None
    assert math.ceil(true) - 1 - 1e-9 <= found <= max(1, math.ceil(true)) + 1e-9


def test_a_quantile_beyond_the_last_bound_is_that_bound() -> None:
    assert quantile(0.95, {1.0: 1, 5.0: 2, math.inf: 100}) == 5


def test_a_row_is_shown_for_every_queue_and_queues_without_workers_stand_out() -> None:
    before, after = _look(10, 100, 0, 90, 95, 100), _look(12, 106, 2, 90, 103, 108)
    console = Console(record=True, width=100)
    console.print(table_of(after, rows_between(before, after)))
    text = console.export_text()
    assert "3 sessions go on" in text
    assert text.split("mien.text")[1].split()[:4] == ["4", "2", "4.0", "25.0%"]
    assert text.split("mien.dead")[1].split()[:2] == ["—", "—"]


def test_where_nothing_answers_it_says_so() -> None:
    with pytest.raises(MienError, match="start the fusion service there"):
        look(f"http://127.0.0.1:{free_port()}", None)


@pytest.mark.parametrize("url", ["fusion.example", "http://fusion.example:port", "http://[bad", "http://a b/"])
def test_what_is_no_address_is_told_in_a_sentence(url: str) -> None:
    with pytest.raises(MienError, match="name it with --fusion"):
        look(url, None)


def test_what_speaks_no_http_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_answer_nonsense, args=(server,))
        thread.start()
        with pytest.raises(MienError, match="name it with --fusion"):
            look(f"http://127.0.0.1:{server.getsockname()[1]}", None)
        thread.join()


def _answer_nonsense(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"SSH-2.0-nobody\r\n")
