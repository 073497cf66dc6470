"""Each alert fires on what it is for and is quiet in health, as Prometheus evaluates it (Debian: prometheus)."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

EXPRESSIONS: Final[dict[str, str]] = {
    rule["alert"]: rule["expr"]
    for group in yaml.safe_load(Path("deploy/monitoring/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}

# Promtool's notation, one sample a minute: "a+bxn" begins at a and grows by b, n times.
HEALTH: Final[dict[str, str]] = {
    'up{job="text"}': "1x20",
    'up{job="fusion"}': "1x20",
    'mien_queue_messages{queue="mien.text",instance="a"}': "300-10x20",
    'mien_queue_consumers{queue="mien.text",instance="a"}': "2x20",
    'mien_queue_messages{queue="mien.face",instance="a"}': "0x20",
    'mien_queue_consumers{queue="mien.face",instance="a"}': "0x20",
    'mien_lag_seconds_bucket{modality="text",le="1"}': "0+60x20",
    'mien_lag_seconds_bucket{modality="text",le="+Inf"}': "0+60x20",
    'mien_scores_total{modality="text",status="scored"}': "0+60x20",
    'mien_scores_total{modality="text",status="failed"}': "0x20",
    'mien_dead_letters_total{queue="mien.face",cause="expired"}': "0+6x20",
    'mien_publish_confirms_total{job="text",outcome="confirmed"}': "0+60x20",
    'mien_publish_confirms_total{job="text",outcome="refused"}': "0x20",
    'mien_broker_reconnects_total{job="text"}': "1x20",
    "mien_store_failures_total": "0x20",
    'mien_http_request_seconds_bucket{route="/",status="200",le="0.1"}': "0+60x20",
    'mien_http_request_seconds_bucket{route="/",status="200",le="+Inf"}': "0+60x20",
    'mien_http_request_seconds_count{route="/",status="200"}': "0+60x20",
    'mien_http_request_seconds_bucket{route="/v1/sessions/{session_id}/media",status="202",le="5"}': "0x20",
    'mien_http_request_seconds_bucket{route="/v1/sessions/{session_id}/media",status="202",le="10"}': "0+4x20",
    'mien_http_request_seconds_bucket{route="/v1/sessions/{session_id}/media",status="202",le="+Inf"}': "0+4x20",
}

TROUBLE: Final[dict[str, dict[str, str]]] = {
    "MienServiceDown": {'up{job="text"}': "0x20"},
    "MienNoWorkers": {
        'mien_queue_messages{queue="mien.text",instance="a"}': "1x20",
        'mien_queue_consumers{queue="mien.text",instance="a"}': "0x20",
    },
    "MienQueueGrows": {'mien_queue_messages{queue="mien.text",instance="a"}': "100+10x20"},
    "MienLagHigh": {
        'mien_lag_seconds_bucket{modality="text",le="1"}': "0+30x20",
        'mien_lag_seconds_bucket{modality="text",le="3"}': "0+60x20",
        'mien_lag_seconds_bucket{modality="text",le="+Inf"}': "0+60x20",
    },
    "MienScoresFail": {
        'mien_scores_total{modality="text",status="scored"}': "0+90x20",
        'mien_scores_total{modality="text",status="failed"}': "0+10x20",
    },
    "MienDeadLetters": {'mien_dead_letters_total{queue="mien.text",cause="rejected"}': "0x10 30x10"},
    "MienDeliveryLimit": {'mien_dead_letters_total{queue="mien.text.retry",cause="delivery_limit"}': "0x10 1x10"},
    "MienFramesExpire": {'mien_dead_letters_total{queue="mien.face",cause="expired"}': "0+120x20"},
    "MienScoresRefused": {'mien_publish_confirms_total{job="text",outcome="refused"}': "0x12 1x10"},
    "MienReconnects": {'mien_broker_reconnects_total{job="text"}': "0+1x20"},
    "MienStoreFailures": {"mien_store_failures_total": "0+4x20"},
    "MienSlowAnswers": {
        'mien_http_request_seconds_bucket{route="/",status="200",le="0.1"}': "0+30x20",
        'mien_http_request_seconds_bucket{route="/",status="200",le="5"}': "0+60x20",
        'mien_http_request_seconds_bucket{route="/",status="200",le="+Inf"}': "0+60x20",
    },
    "MienServerErrors": {'mien_http_request_seconds_count{route="/",status="503"}': "0+60x20"},
}


def _case(name: str, series: dict[str, str], firing: set[str]) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {"expr": f"count({expression})", "eval_time": "15m", "exp_samples": [{"labels": "{}", "value": 1}]}
            if alert in firing
            else {"expr": f"count({expression})", "eval_time": "15m"}
            for alert, expression in EXPRESSIONS.items()
        ],
    }


def test_an_alert_fires_on_its_own_trouble_alone(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on the PATH; Debian's package prometheus has it")
    assert set(TROUBLE) == set(EXPRESSIONS)
    cases = [_case(alert, {**HEALTH, **series}, {alert}) for alert, series in TROUBLE.items()]
    cases.append(_case("fusion is gone", {**HEALTH, 'up{job="fusion"}': "1x5 stale"}, {"MienServiceDown"}))
    file = tmp_path / "alerts.test.yml"
    file.write_text(json.dumps({"rule_files": [], "tests": [_case("health", HEALTH, set()), *cases]}))
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
