"""Every rule of the dialect, by its row in the published tables: where it is enforced, and that the place does so.

A row is enforced by a rule of `gateway.validate.fhir.eps` (broken once, here or in `test_rules`), by another part of
the gateway (a test of it is named, and must exist), or not at all, for a reason.
"""

import ast
import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.validate.fhir.eps import every_message, limits, notification, operations, order, signatures, update
from gateway.validate.fhir.eps.rules import check_rules
from tests.unit.validate.fhir.eps.test_rules import (
    ITEM,
    LINE,
    ORDER,
    OTHERS,
    REPEATS,
    RETURN,
    ROLE,
    WITHDRAW,
    Message,
    as_event,
    repeated,
    twice,
)
from tests.unit.validate.fhir.test_planted_faults import extension, line, one
from tests.unit.validate.fhir.test_planted_faults import order as an_order

ROOT = Path(__file__).parents[5]
EPS = ROOT / "../shared/design/eps.md"
NHS = "https://fhir.nhs.uk/StructureDefinition/"
UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/"


def _repeated_twice(message: Message) -> tuple[Message, Message]:
    """Give both lines of a repeat-dispensing order, as `dispenseRequest`."""
    repeated(message)
    return line(message)["dispenseRequest"], twice(message)["dispenseRequest"]


def _differing_repeats(message: Message) -> None:
    _, second = _repeated_twice(message)
    second["numberOfRepeatsAllowed"] = 6


def _differing_days(message: Message) -> None:
    _, second = _repeated_twice(message)
    second["expectedSupplyDuration"] = {"value": 7, "code": "d"}


def _differing_information(message: Message) -> None:
    repeated(message)
    url = UK_CORE + "Extension-UKCore-MedicationRepeatInformation"
    line(message)["extension"].append({"url": url, "extension": [{"url": "numberOfPrescriptionsIssued"}]})
    twice(message)["extension"].pop()


def _responsible(message: Message) -> None:
    second = twice(message)
    second["extension"].append({"url": NHS + "Extension-DM-ResponsiblePractitioner", "valueReference": {}})


def _site(message: Message) -> None:
    second = twice(message)
    extension(second["dispenseRequest"], "PerformerSiteType")["valueCoding"].update(code="P2")


def _responsible_by_both(message: Message) -> None:
    role = copy.deepcopy(one(message, "PractitionerRole"))
    role["practitioner"] = {"reference": "urn:x", "identifier": {"value": "1"}}
    message["entry"].append({"fullUrl": "urn:role", "resource": role})
    url = NHS + "Extension-DM-ResponsiblePractitioner"
    line(message)["extension"].append({"url": url, "valueReference": {"reference": "urn:role"}})


def _two_signatures(message: Message) -> None:
    signed = {
        "resourceType": "Provenance",
        "signature": [{"who": line(message)["requester"], "data": "PFNpZ25hdHVyZS8+"}],
    }
    message["entry"] += [{"fullUrl": f"urn:s{n}", "resource": copy.deepcopy(signed)} for n in range(2)]


def _five(message: Message) -> None:
    for _ in range(4):
        twice(message)


def _years(message: Message) -> None:
    repeated(message)["validityPeriod"] = {"start": "2026-10-05", "end": "2027-10-06"}


def _backwards(message: Message) -> None:
    repeated(message)["validityPeriod"] = {"start": "2026-10-05", "end": "2026-10-04"}


PLANTED: Mapping[str, tuple[Callable[[Message], object], str]] = {
    "two sites": (_site, "eps-5.3 extension PerformerSiteType"),
    "two responsible practitioners": (_responsible, "eps-5.3 extension ResponsiblePractitioner"),
    "two numbers of repeats": (_differing_repeats, "eps-5.3 numberOfRepeatsAllowed"),
    "two repeat informations": (_differing_information, "eps-5.3 extension MedicationRepeatInformation"),
    "two durations": (_differing_days, "eps-5.3 expectedSupplyDuration"),
    "a responsible practitioner named twice": (_responsible_by_both, "eps-5.2 practitioner"),
    "two signatures": (_two_signatures, "eps-5.7 signature"),
    "two notes": (lambda m: line(m).update(note=[{"text": "a"}, {"text": "b"}]), "eps-5.7 note"),
    "five items": (_five, "eps-5.8 items"),
    "no items": (lambda m: m["entry"].pop(1), "eps-5.8 items"),
    "a hundred issues": (lambda m: repeated(m).update(numberOfRepeatsAllowed=99), "eps-5.8 issues"),
    "more than twelve months": (_years, "eps-5.8 window"),
    "a window that ends first": (_backwards, "eps-5.8 window"),
    "a prescriber's code of 13": (
        lambda m: one(m, "Practitioner")["identifier"][0].update(value="G123456789012"),
        "eps-5.8 prescriber code",
    ),
}
WARNED: Mapping[str, tuple[Callable[[Message], object], str]] = {
    "an organisation without a name": (lambda m: one(m, "Organization").pop("name"), "eps-5.7 name"),
    "two names": (lambda m: one(m, "Practitioner").update(name=[{"text": "a"}, {"text": "b"}]), "eps-5.7 name"),
    "two telephones": (lambda m: one(m, "Organization").update(telecom=[]), "eps-5.7 telecom"),
    "no address": (lambda m: one(m, "Organization").pop("address", None), "eps-5.7 address"),
    "no job role": (lambda m: one(m, "PractitionerRole").pop("code", None), "eps-5.7 job role"),
    "a signature in JSON": (
        lambda m: m["entry"].append(
            {
                "fullUrl": "urn:s",
                "resource": {
                    "resourceType": "Provenance",
                    "signature": [{"who": line(m)["requester"], "data": "eyJhIjoxfQ=="}],
                },
            }
        ),
        "eps-5.7 signature data",
    ),
}
_REASON = NHS + "Extension-DM-PrescriptionNonDispensingReason"
_REPEATED = NHS + "Extension-EPS-RepeatInformation"


def _notice(change: Message, other: Message | None = None) -> Message:
    return as_event("dispense-notification", {**ITEM, **change}, {**ITEM, **(other or {})})


SMALL: Mapping[str, tuple[Message, str]] = {
    "two patients": (_notice({"subject": {"identifier": {"value": "1"}}}), "eps-5.5 subject"),
    "two performers": (_notice({"performer": [{"actor": {"reference": "#a"}}]}), "eps-5.5 performer"),
    "two counts": (_notice({"extension": [{"url": _REPEATED, "valueCode": "1"}]}), "eps-5.5 RepeatInformation"),
    "two reasons": (
        _notice({"extension": [{"url": _REASON, "valueCoding": {"code": "1"}}]}, {"extension": [{"url": _REASON}]}),
        "eps-5.5 PrescriptionNonDispensingReason",
    ),
    "both forms": (_notice({"medicationCodeableConcept": {}, "medicationReference": {}}), "eps-5.2 medication"),
    "a contained role without organisation": (
        _notice({"contained": [{"resourceType": "PractitionerRole", "practitioner": {"identifier": {}}}]}),
        "eps-5.5 organization",
    ),
    "a return by a practitioner's reference": (
        RETURN
        | {
            "requester": {"reference": "#r"},
            "contained": [{"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "x"}}],
        },
        "eps-5.6 practitioner",
    ),
    "a return by no organisation": (
        RETURN | {"requester": {"reference": "#r"}, "contained": [{"resourceType": "PractitionerRole", "id": "r"}]},
        "eps-5.6 organization",
    ),
    "a withdrawal of another code": (WITHDRAW | {"code": {"coding": [{"code": "fulfill"}]}}, "eps-5.6 code"),
    "a release by a practitioner's reference": (
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "agent", "resource": {"practitioner": {"reference": "x"}}}],
        },
        "eps-5.6 practitioner",
    ),
    "a claim by a practitioner's reference": (
        {
            "resourceType": "Claim",
            "contained": [{"resourceType": "PractitionerRole", "practitioner": {"reference": "x"}}],
        },
        "eps-5.6 practitioner",
    ),
    "a cancel by nobody": (
        as_event("prescription-order-update", ROLE, LINE | {"requester": {"reference": "urn:7"}}),
        "eps-5.3 requester",
    ),
}

ELSEWHERE: Mapping[str, str] = {
    "5.1.1 root": "tests/unit/web/test_release.py::test_a_release_that_breaks_a_rule_is_refused_with_its_code",
    "5.1.4 scope": "tests/unit/web/test_app.py::test_only_a_trust_may_post_a_prescription",
    "5.6.4 status": "tests/unit/adapters/test_handing_back.py::test_a_task_that_breaks_a_rule_says_which",
    "5.6.15 query": "tests/unit/web/test_app.py::test_a_search_that_is_not_one_of_ours_is_refused",
    "5.7 signature": "tests/unit/sign/test_prescriber.py",
    "5.8 identifiers": "tests/unit/validate/fhir/test_identifiers.py",
    "5.8 value sets": "tests/unit/validate/fhir/test_planted_faults.py",
    "5.8 birth": "tests/unit/validate/test_clinical.py",
    "5.8 supply": "tests/unit/validate/test_supply.py",
}
NEVER: Mapping[str, str] = {
    "switch": "prescribing and dispensing cannot be switched off here; a destination is paused instead, and told apart",
    "token": "there is one kind of credential, and it says whose it is",
    "header": "no header changes what is checked, so that there is none to forbid",
    "smartcard": "no smartcard stands behind a credential; EPS itself only logs this",
    "log": "EPS only logs it",
    "line repeat": "FHIR has one number of repeats, which 5.3.10 wants alike on every line",
}

TABLE: Mapping[str, tuple[str, ...]] = {
    "5.1.1": ("5.1.1 root",),
    "5.1.2": ("switch",),
    "5.1.3": ("token",),
    "5.1.4": ("5.1.4 scope",),
    "5.1.5": ("eps-5.1 event",),
    "5.1.6": ("header",),
    "5.2.1": ("eps-5.2 intent",),
    "5.2.2": ("eps-5.2 medication",),
    "5.2.3": ("eps-5.2 telecom",),
    "5.2.4": ("eps-5.2 practitioner",),
    "5.2.5": ("eps-5.2 practitioner",),
    "5.2.6": ("eps-5.2 organization",),
    "5.2.7": ("eps-5.2 healthcareService",),
    "5.2.8": ("eps-5.2 role profile",),
    "5.2.9": ("smartcard",),
    "5.3.1": (
        "eps-5.3 groupIdentifier",
        "eps-5.3 category",
        "eps-5.3 authoredOn",
        "eps-5.3 subject",
        "eps-5.3 requester",
        "eps-5.3 performer",
        "eps-5.3 validityPeriod",
        "eps-5.3 expectedSupplyDuration",
        "eps-5.3 extension PerformerSiteType",
        "eps-5.3 extension PrescriptionType",
        "eps-5.3 extension ResponsiblePractitioner",
    ),
    "5.3.2": ("eps-5.3 primary care",),
    "5.3.3": ("eps-5.3 primary care",),
    "5.3.4": ("eps-5.3 organization",),
    "5.3.5": ("eps-5.3 gmp-number",),
    "5.3.6": ("eps-5.3 status",),
    "5.3.7": ("eps-5.3 identifier",),
    "5.3.8": ("eps-5.3 dosage",),
    "5.3.9": ("eps-5.3 sequence",),
    "5.3.10": ("eps-5.3 numberOfRepeatsAllowed", "eps-5.3 extension MedicationRepeatInformation"),
    "5.3.11": ("eps-5.3 validityPeriod",),
    "5.3.12": ("eps-5.3 expectedSupplyDuration",),
    "5.4.1": ("eps-5.4 line",),
    "5.4.2": ("eps-5.4 status",),
    "5.4.3": ("eps-5.4 statusReason",),
    "5.5.1": ("eps-5.5 whenHandedOver", "eps-5.5 subject", "eps-5.5 RepeatInformation"),
    "5.5.2": ("eps-5.5 performer",),
    "5.5.3": ("eps-5.5 performer",),
    "5.5.4": ("eps-5.2 medication",),
    "5.5.5": ("eps-5.5 practitioner",),
    "5.5.6": ("eps-5.5 organization",),
    "5.5.7": ("eps-5.5 authority",),
    "5.5.8": ("eps-5.5 authority",),
    "5.5.9": ("eps-5.5 PrescriptionNonDispensingReason",),
    "5.6.1": ("eps-5.6 intent",),
    "5.6.2": ("eps-5.6 requester",),
    "5.6.3": ("eps-5.6 practitioner", "eps-5.6 organization"),
    "5.6.4": ("5.6.4 status",),
    "5.6.5": ("eps-5.6 code",),
    "5.6.6": ("eps-5.6 code",),
    "5.6.7": ("eps-5.6 reason",),
    "5.6.8": ("eps-5.6 owner",),
    "5.6.9": ("eps-5.6 practitioner",),
    "5.6.10": ("eps-5.6 telecom",),
    "5.6.11": ("eps-5.6 insurance",),
    "5.6.12": ("eps-5.6 coverage",),
    "5.6.13": ("eps-5.6 practitioner",),
    "5.6.14": ("eps-5.6 endorsement",),
    "5.6.15": ("5.6.15 query",),
    "5.6.16": ("5.6.15 query",),
    "5.6.17": ("5.6.15 query",),
    "5.6.18": ("5.6.15 query",),
    "5.7.1": ("eps-5.7 professional code",),
    "5.7.2": ("eps-5.7 course",),
    "5.7.3": ("eps-5.7 duration",),
    "5.7.4": ("eps-5.7 repeats",),
    "5.7.5": ("eps-5.7 telecom",),
    "5.7.6": ("eps-5.7 name", "eps-5.7 telecom", "eps-5.7 address"),
    "5.7.7": ("eps-5.7 job role",),
    "5.7.8": ("eps-5.7 name",),
    "5.7.9": ("eps-5.7 note", "eps-5.7 signature"),
    "5.7.10": ("eps-5.7 signature data", "5.7 signature"),
    "5.7.11": ("5.8 value sets",),
    "5.7.12": ("5.8 value sets",),
    "5.8.1": ("5.8 identifiers",),
    "5.8.2": ("5.8 identifiers",),
    "5.8.3": ("5.8 identifiers",),
    "5.8.4": ("eps-5.8 items",),
    "5.8.5": ("5.8 value sets",),
    "5.8.6": ("5.8 value sets",),
    "5.8.7": ("5.8 identifiers", "5.8 value sets"),
    "5.8.8": ("5.8 identifiers",),
    "5.8.9": ("eps-5.8 prescriber code",),
    "5.8.10": ("log",),
    "5.8.11": ("5.8 birth",),
    "5.8.12": ("5.8 value sets",),
    "5.8.13": ("eps-5.8 issues",),
    "5.8.14": ("line repeat",),
    "5.8.15": ("eps-5.8 duration", "5.8 supply"),
    "5.8.16": ("eps-5.8 window", "5.8 birth"),
}
"""Row of eps.md 5, counted from 1 in its table (the clauses of 5.7, a list, from 1 too), to what enforces it."""


def _found(message: Message) -> set[str]:
    return {finding.rule for finding in check_rules(message)}


@pytest.mark.parametrize("case", PLANTED)
def test_a_rule_of_an_order_is_broken_and_told(case: str) -> None:
    plant, rule = PLANTED[case]
    message = an_order("ours")
    assert rule not in _found(message)
    plant(message)
    assert rule in _found(message)


@pytest.mark.parametrize("case", WARNED)
def test_what_only_translation_needs_is_told(case: str) -> None:
    plant, rule = WARNED[case]
    message = an_order("ours")
    plant(message)
    assert rule in _found(message)


@pytest.mark.parametrize("case", SMALL)
def test_a_rule_of_another_message_is_broken_and_told(case: str) -> None:
    message, rule = SMALL[case]
    assert rule in _found(message)


def _broken() -> set[str]:
    """Give every rule that some test breaks."""
    return {rule for table in (ORDER, OTHERS, PLANTED, WARNED, SMALL) for _, rule in table.values()}


def test_every_row_is_enforced_by_a_rule_that_is_tested_or_has_a_reason_why_not() -> None:
    known = _broken() | ELSEWHERE.keys() | NEVER.keys()
    for row, by in TABLE.items():
        assert by, row
        assert set(by) <= known, row


def test_every_rule_stands_in_the_table_and_every_reason_is_used() -> None:
    used = {name for by in TABLE.values() for name in by}
    ours = {"eps-hold line", "eps-hold status"}  # EPS knows no holds: mapping.md 4.1
    assert _broken() <= used | {"eps-5.5 medication"} | ours
    assert ELSEWHERE.keys() <= used
    assert NEVER.keys() <= used


def test_every_rule_in_the_code_is_broken_by_a_test() -> None:
    written = set()
    for module in (every_message, limits, notification, operations, order, signatures, update):
        assert module.__file__
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "wrong":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    written.add(f"eps-{first.value}")
    assert len(written) > 30
    assert written <= _broken()


@pytest.mark.parametrize("named", ELSEWHERE.values())
def test_a_test_that_is_named_is_there(named: str) -> None:
    path, _, function = named.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert function in text


def test_the_table_has_every_row_of_the_published_tables() -> None:
    if not EPS.is_file():
        pytest.skip("the design documents are not beside this checkout")
    parts = re.split(r"^### (5\.\d) .*$", EPS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    rows: dict[str, Any] = {}
    for section, body in zip(parts[1::2], parts[2::2], strict=True):
        table = [text for text in re.split(r"^##", body, flags=re.MULTILINE)[0].splitlines() if text.startswith("|")]
        rows |= {f"{section}.{number}": text for number, text in enumerate(table[2:], 1)}
    assert set(rows) == {row for row in TABLE if not row.startswith("5.7")}
    assert REPEATS
