"""The rules as rows: each is used as it says by some message, and no message is read by anything else."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gateway.domain.errors import Refusal
from gateway.domain.submission import Reading, Submission, WireFormat
from gateway.domain.trace import Disposition, TraceRow
from gateway.translate.formats import FORMATS
from gateway.translate.maps import rules
from gateway.translate.maps.rules import FHIR, GATEWAY, HL7V2, XML, Rule, Rules, covers, place_of, plain, targets
from gateway.translate.tracer import Tracer
from tests.hl7v2_orders import CONTEXT, RECEIVED, TRUST
from tests.unit.translate.maps.corpus_fhir import fhir
from tests.unit.translate.maps.corpus_hl7v2 import hl7v2
from tests.unit.translate.maps.corpus_xml import xml

TABLES = {"hl7v2": HL7V2, "xml": XML, "fhir": FHIR}
EVERY = [rule for table in (*TABLES.values(), GATEWAY) for rule in table.rows]
SENT = [(name, rule) for name, table in TABLES.items() for rule in table.rows]


@cache
def readings() -> dict[str, tuple[Reading, ...]]:
    return {"hl7v2": tuple(hl7v2()), "xml": tuple(xml()), "fhir": tuple(fhir())}


@cache
def rows(name: str) -> tuple[TraceRow, ...]:
    return tuple(row for reading in readings()[name] for order in reading.orders for row in order.trace)


@cache
def shown(name: str) -> dict[str, set[str]]:
    """Give the transforms that traces of a format show, by rule."""
    found: dict[str, set[str]] = {}
    for row in rows(name):
        found.setdefault(row.rule, set()).add(row.transform.partition("@")[0])
    return found


@cache
def left_out(name: str) -> set[str]:
    left = (one for reading in readings()[name] for one in reading.leftovers)
    return {one.rule.partition(": ")[0] for one in left if one.disposition is Disposition.IGNORED_BY_RULE}


@pytest.mark.parametrize("name", TABLES)
def test_every_value_of_the_corpus_is_read_by_a_row(name: str) -> None:
    assert [reading.unaccounted for reading in readings()[name] if reading.unaccounted] == []
    known = {rule.id: rule for rule in TABLES[name].rows}
    for row in rows(name):
        rule = known[row.rule]
        place = place_of(row.source)
        assert place == rule.source or place.startswith((f"{rule.source}.", f"{rule.source}/")) or not rule.source
        assert covers(rule.target, plain(row.target))
        assert row.transform.partition("@")[0] in rule.transforms
    assert left_out(name) <= set(known)


@pytest.mark.parametrize(("name", "rule"), SENT, ids=[rule.id for _, rule in SENT])
def test_every_row_is_shown_by_the_trace_of_a_message(name: str, rule: Rule) -> None:
    if rule.leaves_out:
        assert rule.id in left_out(name)
    else:
        assert rule.id in shown(name)


_UNIT = {"table:units", "table:unit-words", "table:trust-codes", "derive:each"}
"""One function reads every unit; each of its ways is shown by some row, not by every row that has a unit."""


@pytest.mark.parametrize("name", TABLES)
def test_every_transform_of_a_row_is_shown_with_it(name: str) -> None:
    not_shown = {
        (rule.id, how)
        for rule in TABLES[name].rows
        if not rule.leaves_out
        for how in rule.transforms - shown(name).get(rule.id, set())
    }
    units = {rule.id for rule in TABLES[name].rows if {"table:units", "table:unit-words"} <= rule.transforms}
    assert {(rule_id, how) for rule_id, how in not_shown if how not in _UNIT or rule_id not in units} == set()
    every = {how for rule in TABLES[name].rows for how in rule.transforms if rule.id in units}
    assert every <= {how for ways in shown(name).values() for how in ways}


def test_a_value_read_without_a_row_is_unaccounted_for_and_so_never_sealed() -> None:
    tracer = Tracer({"RXE[1]-3.1": "10"}, Rules([rule for rule in HL7V2.rows if rule.source != "RXE-3"]))
    row = tracer.row("lines[0].dosages[0].dose.value", "RXE[1]-3.1", transform="copy", result="10")
    assert row.rule == ""
    assert tracer.unaccounted([row]) == ("RXE[1]-3.1",)
    derived = tracer.row("lines[0].colour", "", transform="default:blue", result="blue")
    assert tracer.unaccounted([row, derived]) == ("RXE[1]-3.1", "lines[0].colour")


def test_a_transform_that_its_row_does_not_name_is_no_rule() -> None:
    tracer = Tracer({"RXE[1]-3.1": "10"}, HL7V2)
    assert tracer.row("lines[0].dosages[0].dose.value", "RXE[1]-3.1", transform="copy", result="10").rule
    assert tracer.row("lines[0].dosages[0].dose.value", "RXE[1]-3.1", transform="parse:guess", result="10").rule == ""


def test_what_is_left_out_is_said_by_the_first_rule_that_leaves_it_out() -> None:
    tracer = Tracer({"PID[1]-1.1": "1"}, HL7V2)
    first, second = HL7V2.named("HL7V2.ignored.null"), HL7V2.named("HL7V2.ignored.cancel")
    tracer.ignore("PID[1]-1.1", first)
    tracer.ignore("PID[1]-1.1", second)
    tracer.ignore_by_rule()
    assert [left.rule for left in tracer.finish()] == [str(first)]


def test_a_module_that_names_a_rule_without_a_row_cannot_be_imported() -> None:
    with pytest.raises(KeyError):
        HL7V2.named("HL7V2.ignored.absent")


def test_two_rows_may_not_share_an_id() -> None:
    with pytest.raises(ValueError, match="one id"):
        Rules([EVERY[0], EVERY[0]])


ROOT = Path(__file__).parents[4] / "gateway"


def _named_in_code() -> Iterator[str]:
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "named":
                named = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                yield from (value for value in named if isinstance(value, str) and "." in value)


def test_every_row_that_code_must_name_is_named_by_code() -> None:
    """A row without a pattern, and one of the gateway's own, is used only where code names it."""
    wanted = {rule.id for rule in EVERY if rule.leaves_out and rule.source == "*"} | {rule.id for rule in GATEWAY.rows}
    assert wanted == set(_named_in_code())


@pytest.mark.parametrize("rule", EVERY, ids=[rule.id for rule in EVERY])
def test_a_row_is_whole(rule: Rule) -> None:
    assert rule.weight in {"high", "medium", "low"}
    assert rule.citation
    if rule.leaves_out:
        assert rule.transforms == {"ignore"}
        assert rule.reason
        assert not rule.target
        assert rule.source
    else:
        assert rule.target
        kinds = {how.partition(":")[0] for how in rule.transforms}
        assert kinds <= {"copy", "table", "parse", "derive", "default"}
        assert rule.target == "*" or rules.target_of(rule.target), "the target has a row of its own"
        assert rule.source or not kinds & {"copy", "parse"}, "what is copied or parsed comes from somewhere"


def test_the_canonical_values_are_listed_once_with_their_weight() -> None:
    assert {target.weight for target in targets().values()} == {"high", "medium", "low"}
    assert all(target.citation for target in targets().values())


def test_weight_is_that_of_the_nearest_row() -> None:
    assert rules.weight_of("patient.nhs_number") == "high"
    assert rules.weight_of("patient.contacts[0].value") == "medium"
    assert rules.weight_of("nowhere") == "low"
    assert rules.weight_of_rule(str(HL7V2.named("HL7V2.ignored.RXE-19"))) == "medium"
    assert rules.weight_of_rule("of another time") == ""


SHARED = Path(__file__).parents[4] / ".." / "shared" / "hl7v2-samples"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the third-party samples are not beside the project")
def test_no_message_of_a_third_party_is_read_without_a_row() -> None:
    """They are read whatever they are refused for; a value without a rule would be a rule that nobody wrote down."""
    unread = {}
    for file in sorted(SHARED.rglob("*.hl7")):
        submission = Submission(tenant=TRUST.ods, format=WireFormat.HL7V2, body=file.read_bytes(), received_at=RECEIVED)
        try:
            reading = FORMATS[WireFormat.HL7V2].read(submission, CONTEXT)
        except Refusal:
            continue
        if reading.unaccounted:
            unread[file.name] = reading.unaccounted
    assert unread == {}
