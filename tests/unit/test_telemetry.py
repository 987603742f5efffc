"""Logs and metrics hold no patient data, whatever is passed to them."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from gateway.domain.identifiers import NhsNumber
from gateway.domain.prescription import Name
from gateway.domain.submission import WireFormat
from gateway.telemetry import FIELDS, Metrics, start_logging, withhold


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    start_logging("info", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def _read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def _fail(text: str) -> None:
    raise ValueError(text)


def test_what_is_allowed_is_logged(lines: io.StringIO) -> None:
    message = UUID(int=1)
    structlog.get_logger("x").info("attempt", destination="VNE51", message=message, attempt=2, outcome="Taken")
    (line,) = _read(lines)
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")
    assert (line["event"], line["destination"], line["message"]) == ("attempt", "VNE51", str(message))
    assert "withheld" not in line


@pytest.mark.parametrize(
    "facts",
    [
        {"patient": "Testpatient"},
        {"reason": "no stock for Aoife Testpatient"},
        {"tenant": "Aoife Testpatient"},
        {"outcome": Name(family="Testpatient")},
        {"row": 9990000077},
        {"row": "999 000 0077"},
        {"digest": b"Testpatient"},
        {"error": NhsNumber("9990000077")},
        {"route": "/console?nhs=9990000077&name=Testpatient"},
        {"what": "x" * 200 + "Testpatient"},
        {"count": ["Testpatient"]},
        {"withheld": "Testpatient"},
        {"passed": "Testpatient"},
        {"failed": {"name": "Testpatient"}},
    ],
)
def test_anything_else_is_withheld_by_name(lines: io.StringIO, facts: dict[str, object]) -> None:
    structlog.get_logger("x").info("attempt", **facts)
    assert "Testpatient" not in lines.getvalue()
    assert "9990000077" not in lines.getvalue()
    assert "999 000 0077" not in lines.getvalue()


def test_a_withheld_field_is_named(lines: io.StringIO) -> None:
    structlog.get_logger("x").info("attempt", reason="secret", colour="secret")
    assert _read(lines)[0]["withheld"] == ["colour", "reason"]


def test_an_exception_is_logged_by_type_and_place_and_never_by_text(lines: io.StringIO) -> None:
    try:
        _fail("Testpatient 9990000077")
    except ValueError:
        structlog.get_logger("x").exception("worker_round_failed")
    (line,) = _read(lines)
    assert line["failed"] == "ValueError"
    assert line["passed"][-1].startswith("test_telemetry.py:")
    assert "Testpatient" not in lines.getvalue()


def test_what_a_library_logs_keeps_its_words_and_loses_its_arguments(lines: io.StringIO) -> None:
    try:
        _fail("Testpatient")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed for %s", "Testpatient")
    (line,) = _read(lines)
    assert line["event"] == "failed for s"
    assert line["logger"] == "uvicorn.error"
    assert line["failed"] == "ValueError"
    assert "Testpatient" not in lines.getvalue()


def test_a_library_that_writes_values_into_its_words_loses_its_words(lines: io.StringIO) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved: Testpatient")
    (line,) = _read(lines)
    assert (line["event"], line["logger"], line["level"]) == ("library", "asyncio", "error")


@given(
    st.dictionaries(
        st.sampled_from([*FIELDS, "reason", "withheld", "exc_info"]),
        st.one_of(st.just("Mrs Zzyzx Qwerty 01/02/1980"), st.binary(max_size=5), st.integers(min_value=10**9)),
    )
)
def test_no_field_carries_free_text_or_a_long_number(facts: dict[str, object]) -> None:
    facts.pop("event", None)
    for name in ("withheld", "passed", "failed"):
        facts.pop(name, None)
    kept = dict(withhold(None, "info", facts))
    assert set(kept) <= {"event", "withheld"}


def test_below_the_threshold_nothing_is_logged(lines: io.StringIO) -> None:
    structlog.get_logger("x").debug("attempt")
    assert lines.getvalue() == ""


def test_the_figures_are_published() -> None:
    metrics = Metrics()
    metrics.submitted("RBA", "hl7v2", "taken")
    metrics.answered("/xml", 202, 0.004)
    metrics.transmitted("VNE51", "Taken", 0.2)
    metrics.watched(datetime(2026, 11, 22, tzinfo=UTC))
    metrics.counted({"accepted": 3, "alerted": 1})
    text = generate_latest(metrics.registry).decode()
    for part in (
        'gateway_submissions_total{format="hl7v2",outcome="taken",tenant="RBA"} 1.0',
        'gateway_answer_seconds_count{door="/xml",status="2xx"} 1.0',
        'gateway_deliveries_total{destination="VNE51",outcome="Taken"} 1.0',
        'gateway_prescriptions{place="accepted"} 3.0',
        "gateway_open_alerts 1.0",
    ):
        assert part in text, part


def test_open_alerts_are_published_by_kind_and_urgency_and_go_when_they_are_closed() -> None:
    metrics = Metrics()
    known = {"kind": "safety-incident", "soon": "now", "runbook": "docs/runbooks/safety-incident.md"}
    other = {"kind": "other", "soon": "morning", "runbook": "docs/runbooks/other.md"}
    metrics.stands(alerts={"safety-incident": 2, "line-held": 1, "of-tomorrow": 3, "of-next-week": 4}, due_seconds=90.0)
    assert metrics.registry.get_sample_value("gateway_alerts", known) == 2
    assert metrics.registry.get_sample_value("gateway_alerts", other) == 7
    assert metrics.registry.get_sample_value("gateway_due_seconds") == 90.0
    metrics.stands(alerts={"line-held": 1}, due_seconds=0.0)
    assert metrics.registry.get_sample_value("gateway_alerts", known) is None
    held = {"kind": "line-held", "soon": "morning", "runbook": "docs/runbooks/line-held.md"}
    assert metrics.registry.get_sample_value("gateway_alerts", held) == 1


def test_two_gateways_in_one_process_keep_their_own_figures() -> None:
    first, second = Metrics(), Metrics()
    first.submitted("RBA", "xml", "taken")
    assert b'tenant="RBA"' not in generate_latest(second.registry)


@pytest.mark.parametrize("form", list(WireFormat))
def test_the_format_of_a_message_may_be_logged_whichever_it_is(form: WireFormat) -> None:
    assert withhold(None, "", {"event": "too_large", "format": form.value}) == {
        "event": "too_large",
        "format": form.value,
    }
