"""The alert rules and the dashboard under docs/deploy speak of metrics that the gateway really publishes."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]
from prometheus_client.exposition import generate_latest

from gateway.destination import InDoubt, Refused, Taken, TryLater
from gateway.domain.alert import Soon
from gateway.domain.alert_kinds import ALERT_KINDS
from gateway.telemetry import Metrics

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs" / "deploy"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]
ASKED = [(rule["alert"], rule["expr"]) for rule in RULES] + [
    (panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]
]


def published() -> dict[str, set[str]]:
    """Give every series with its labels, of a gateway in which everything has happened once."""
    metrics = Metrics()
    metrics.answered("mllp", 200, 0.1)
    metrics.submitted("RBA", "hl7v2", "taken")
    metrics.transmitted("VNE51", "taken", 0.1)
    metrics.commit_group.observe(1)
    metrics.watched(datetime(2026, 11, 22, tzinfo=UTC))
    metrics.counted({"accepted": 1})
    metrics.stands(alerts=dict.fromkeys(ALERT_KINDS, 1), due_seconds=0)
    found: dict[str, set[str]] = {}
    for line in generate_latest(metrics.registry).decode().splitlines():
        if match := re.match(r"([a-z_]+)(?:\{(.*)\})? ", line):
            found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return found


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Give each metric of an expression with the labels that are asked of it."""
    for name, labels in re.findall(r"\b(gateway_[a-z_]+)(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*[!=]", labels))


@pytest.mark.parametrize(("name", "expression"), ASKED, ids=[name for name, _ in ASKED])
def test_what_is_asked_for_is_published_under_that_name_with_these_labels(name: str, expression: str) -> None:
    found = published()
    asked = list(selectors(expression))
    assert asked or "up{" in expression, name
    for metric, labels in asked:
        assert metric in found
        assert labels <= found[metric]
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", expression))))
    assert grouped <= set().union(*(found[metric] for metric, _ in asked)) if asked else not grouped


VALUES = {
    "outcome": {outcome.__name__ for outcome in (Taken, Refused, TryLater, InDoubt)} | {"taken", "refused"},
    "status": {f"{digit}xx" for digit in range(1, 6)},
    "soon": {one.name.lower() for one in Soon},
    "job": {"gateway"},
}
"""What labels may be, by what writes them: `Worker`, `Intake`, `Metrics`."""


@pytest.mark.parametrize(("name", "expression"), ASKED, ids=[name for name, _ in ASKED])
def test_a_label_is_compared_with_what_it_can_be(name: str, expression: str) -> None:
    for label, values in re.findall(r"(\w+)\s*=~?\s*\"([^\"]*)\"", expression):
        assert set(values.split("|")) <= VALUES[label], name


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {metric for panel in PANELS for target in panel["targets"] for metric, _ in selectors(target["expr"])}
    shown = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in shown}
    have = {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in published()}
    assert have == shown


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_every_rule_has_a_severity_a_sentence_and_a_page(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    page = rule["annotations"]["runbook"]
    if page == "{{ $labels.runbook }}":
        assert "runbook" in re.findall(r"\w+", rule["expr"].split(")")[0])
    else:
        assert (ROOT / page).is_file()


def test_what_is_for_now_pages_and_what_is_for_the_morning_does_not() -> None:
    severities = {
        match[1]: rule["labels"]["severity"] for rule in RULES if (match := re.search(r'soon="(\w+)"', rule["expr"]))
    }
    assert severities == {"now": "page", "morning": "ticket"}


def test_the_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells
        assert at["x"] + at["w"] <= 24
        taken |= cells
