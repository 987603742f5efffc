"""`gateway coverage` and the trace as a table; `gateway translate` of every shape of FHIR."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main
from gateway.commands.coverage import rows
from gateway.commands.translate import recognise
from gateway.config.fhir_xml import fhir_xml
from gateway.domain.submission import Envelope, WireFormat
from gateway.domain.trace import Disposition, Leftover, TraceRow
from gateway.store.sql.accounts import Account
from gateway.translate.maps.rules import HL7V2, weight_of
from gateway.wire.strict_json import dumps
from tests.unit.translate.from_fhir import orders, uk_core_orders


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object, **variables: str) -> Done:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return Done(int(ended.value.code or 0), told.out, told.err)

    return run


SHAPES: dict[str, dict[str, Any]] = {
    "message": orders.unsigned(),
    "collection": uk_core_orders.collection(),
    "transaction": uk_core_orders.collection("transaction"),
    "single": uk_core_orders.single(),
}
AT = "2026-10-05T09:15:00"


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_fhir_is_recognised_and_translated(run: Run, tmp_path: Path, shape: str, form: str) -> None:
    body = dumps(SHAPES[shape]) if form == "json" else fhir_xml().to_xml(SHAPES[shape])
    assert recognise(body) is WireFormat.FHIR
    file = tmp_path / "order"
    file.write_bytes(body)
    done = run("translate", file, "--trust", "RBA", "--at", AT, "--json", "--trace")
    told = json.loads(done.stdout)
    assert (told["outcome"], told["issues"]) == ("translated", [])
    assert told["unaccounted"] == told["unexplained"] == []


def test_trust_xml_is_not_taken_for_fhir() -> None:
    assert recognise(b'<PrescriptionMessage xmlns="urn:x"/>') is WireFormat.XML


def test_the_trace_is_a_table_with_its_columns_beside_the_message(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "order"
    file.write_bytes(dumps(orders.unsigned()))
    done = run("translate", file, "--trust", "RBA", "--at", AT, "--trace")
    json.loads(done.stdout)
    for column in ("value", "from", "as received", "became", "rule"):
        assert column in done.stderr
    assert "lines[0].quantity.value" in done.stderr
    assert "ignored by rule" in done.stderr


def test_coverage_says_what_became_of_every_field_and_shows_no_value(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "order"
    file.write_bytes(dumps(orders.unsigned()))
    done = run("coverage", file, "--trust", "RBA", "--json")
    fields = json.loads(done.stdout)["fhir prescription-order"]["fields"]
    by_name = {row["field"]: row for row in fields}
    dose = by_name["Bundle.entry.resource.dosageInstruction.doseAndRate.doseQuantity.value"]
    assert (dose["became"], dose["weight"], dose["messages"]) == ("mapped", "high", 1)
    assert {"mapped", "defaulted", "ignored by rule"} <= {row["became"] for row in fields}
    assert "TESTPATIENT" not in done.stdout
    assert "9990000077" not in done.stdout
    table = run("coverage", file, "--trust", "RBA").stdout
    assert "prescription-order: 1 messages" in table


def test_a_trust_that_is_not_configured_has_no_coverage(run: Run) -> None:
    assert run("coverage", "--trust", "XXXXX").returncode == 2


def test_fields_are_counted_by_message_and_the_gravest_stand_first() -> None:
    row = TraceRow(
        target="lines[0].product.code", source="RXE[1]-2.1", rule="RXE-2", transform="copy", raw="", result=""
    )
    other = TraceRow(target="homecare.tier", source="ZHC[1]-3", rule="ZHC-3", transform="copy", raw="", result="")
    rule = HL7V2.named("HL7V2.ignored.RXE-19")
    left = Leftover(source="RXE[1]-19", raw="x", disposition=Disposition.IGNORED_BY_RULE, rule=str(rule))
    envelope = Envelope(format=WireFormat.HL7V2, control_id="1", sent_at=datetime(2026, 10, 5, tzinfo=UTC))
    one = Account(envelope=envelope, rows=(row, row, other), leftovers=(left,))
    found = rows([one, one])
    assert [(each.field, each.became, each.weight, each.seen) for each in found] == [
        ("RXE-2.1", "mapped", "high", 2),
        ("ZHC-3", "mapped", "low", 2),
        ("RXE-19", "ignored by rule", "medium", 2),
    ]


@pytest.mark.parametrize(
    ("target", "weight"),
    [
        ("lines[3].dosages[0].dose.value", "high"),
        ("patient.nhs_number", "high"),
        ("patient.address.lines[0]", "medium"),
        ("lines[0].priority", "medium"),
        ("homecare.purchase_order", "low"),
    ],
)
def test_a_field_has_the_weight_of_what_it_says(target: str, weight: str) -> None:
    assert weight_of(target) == weight
