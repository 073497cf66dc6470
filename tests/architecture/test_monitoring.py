"""Alerts and dashboards ask only for what services count, in queries that parse, and each alert says what to do."""

import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any, Final

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

from services.fusion.api import metrics as api_metrics
from services.fusion.metrics import KEPT
from services.fusion.store import connect
from shared import metrics
from shared.broker.port import Cause
from shared.topology import FUSION_QUEUE, MEDIA_QUEUES, RETRY_QUEUES
from tests.architecture.deployment import COMPOSE, PORT

FOLDER: Final = Path("deploy/monitoring")
ALERTS: Final[list[dict[str, Any]]] = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARDS: Final = sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))
PANELS: Final[list[dict[str, Any]]] = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
QUERIES: Final = [
    *(pytest.param(rule["expr"], id=rule["alert"]) for rule in ALERTS),
    *(pytest.param(target["expr"], id=panel["title"]) for panel in PANELS for target in panel["targets"]),
]
OF_PROMETHEUS: Final = {"up"}
LABELS_OF_SCRAPES: Final = {"job", "instance", "le"}


def _labels() -> dict[str, set[str]]:
    """Return the labels of every series that a process of ours gives, by its name."""
    assert {api_metrics.REQUESTS, KEPT, metrics.SCORES}  # importing a module is what registers its metrics
    found: dict[str, set[str]] = {}
    for collector in list(REGISTRY._collector_to_names):
        names = set(getattr(collector, "_labelnames", ())) | LABELS_OF_SCRAPES
        for name in REGISTRY._collector_to_names[collector]:
            found[name] = names
    return found


COUNTED: Final = _labels()


def _selectors(query: str) -> list[promql_parser.VectorSelector]:
    """Return every selector of a query; fails where the query does not parse."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(query.replace("$__rate_interval", "1m")), visit)
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_parses_and_asks_for_what_is_counted(query: str) -> None:
    selectors = _selectors(query)
    assert selectors
    for selector in selectors:
        assert selector.name in set(COUNTED) | OF_PROMETHEUS
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= COUNTED.get(str(selector.name), LABELS_OF_SCRAPES)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_groups_by_labels_that_there_are(query: str) -> None:
    known = set().union(LABELS_OF_SCRAPES, *(COUNTED.get(str(each.name), set()) for each in _selectors(query)))
    grouped = {name.strip() for names in re.findall(r"\bby \(([^)]*)\)", query) for name in names.split(",")}
    assert grouped <= known


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "action"}
    assert len(rule["annotations"]["action"]) > 60
    by = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert all(re.search(rf"\b{label}\b", rule["expr"]) for label in by)
    assert by <= {"job"} or "by (" in rule["expr"], "a label that is summed away is not there to be shown"


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {str(each.name) for panel in PANELS for target in panel["targets"] for each in _selectors(target["expr"])}
    families = {re.sub(r"_(bucket|count|sum|total|created)$", "", name) for name in COUNTED if name.startswith("mien_")}
    missing = {family for family in families if not any(name.startswith(family) for name in shown)}
    assert missing == {"mien_store_failures"}, "what only an alert asks for"


def test_prometheus_finds_every_service_of_compose() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert config["rule_files"] == ["alerts.yml"]
    scraped = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"]}
    assert set(scraped) == {name for name, each in COMPOSE["services"].items() if each["image"].startswith("mien-")} - {
        "definitions"
    }
    assert all(each["names"] == [name] and each["port"] == PORT for name, each in scraped.items())


def test_what_an_alert_waits_for_is_counted_from_the_start() -> None:
    script = "import services.fusion.metrics, shared.metrics as m; print(m.exposition().decode())"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert 'mien_publish_confirms_total{outcome="refused"} 0.0' in told
    queues = (*MEDIA_QUEUES.values(), *RETRY_QUEUES.values(), FUSION_QUEUE)
    for queue, cause in product(queues, (Cause.REJECTED, Cause.DELIVERY_LIMIT)):
        assert f'mien_dead_letters_total{{cause="{cause}",queue="{queue}"}} 0.0' in told


def test_a_scrape_outlasts_a_store_that_is_silent() -> None:
    patience_s = connect("redis://store").get_connection_kwargs()["socket_timeout"]
    told = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["global"].get("scrape_timeout", "10s")
    assert patience_s < int(told.removesuffix("s")), "or the service would seem down, and not its store"


def test_panels_do_not_cover_each_other() -> None:
    assert DASHBOARDS
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
