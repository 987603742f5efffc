"""Read, written, read again: the same prescription, to the last digit, from every format and into both forms of FHIR.

What we write is an order of the EPS dialect, which our own reader reads. It must say of the patient, the people, the
medicine, the dose and the supply exactly what was read from the sender; what it says elsewhere (in resources that only
the provider reads) is listed, and held against those resources. Words that were made from the structure, where the
prescriber gave none, come back as words.
"""

import json
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.commands.offline import Offline
from gateway.config.fhir_xml import fhir_xml
from gateway.domain.prescription import Prescription
from gateway.domain.submission import WireFormat
from gateway.pipeline.translate import read
from gateway.pipeline.translation import TranslatedOrder
from gateway.store.document import encode
from gateway.wire.strict_json import JSON, dumps, loads
from tests.fuzz.submissions import FHIR_XML, around, submission
from tests.fuzz.targets import unsigned
from tests.unit.translate.from_fhir import orders, uk_core_orders

GOLDEN = Path(__file__).parents[2] / "golden"
NOT_IN_THE_DIALECT: Final = {
    "group_number": "the prescription is named by its EPS number; the trust's own number stands in the answer",
    "clinical_check": "in a Provenance of its own",
    "homecare": "in the Task of the homecare service",
}
"""Members of a prescription that the order of the dialect has no place for, and where they are instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """A message of some sender, with the lexemes in it that are changed at will."""

    form: WireFormat
    body: bytes
    dose: bytes
    quantity: bytes
    content_type: str = ""

    def saying(self, dose: str = "10", quantity: str = "4") -> bytes:
        body = self.body
        for old, new in ((self.dose, dose), (self.quantity, quantity)):
            lexeme = b"10" if old is self.dose else b"4"
            assert body.count(old) == 1, old
            body = body.replace(old, old.replace(lexeme, new.encode()))
        return body


def _fhir(message: dict[str, Any], *, xml: bool = False) -> Source:
    if xml:
        dose, quantity = b'<doseQuantity><value value="10"/>', b'<quantity><value value="4"/>'
        return Source(WireFormat.FHIR, fhir_xml().to_xml(message), dose, quantity, FHIR_XML)
    return Source(WireFormat.FHIR, dumps(message), b'"doseQuantity":{"value":10,', b'"quantity":{"value":4,')


@cache
def sources() -> dict[str, Source]:
    trust_xml = (GOLDEN / "xml/example-new.xml").read_bytes()
    return {
        "HL7 v2": Source(WireFormat.HL7V2, (GOLDEN / "hl7v2/S01.hl7").read_bytes(), b"^SCT|10||mg", b"|N|4|"),
        "trust XML": Source(WireFormat.XML, trust_xml, b'<Dose value="10"', b'<QuantityPerSupply value="4"'),
        "FHIR JSON": _fhir(unsigned(orders.message())),
        "FHIR XML": _fhir(unsigned(orders.message()), xml=True),
        "UK Core, JSON": _fhir(uk_core_orders.collection()),
        "UK Core, XML": _fhir(uk_core_orders.single(), xml=True),
    }


WHOLE: Final = ("S01", "S02", "S03", "S07", "S08")


def translated(form: WireFormat, body: bytes, content_type: str = "") -> TranslatedOrder:
    (order,) = Offline(around()).take(submission(form, body, content_type)).orders
    return order


def read_again(body: bytes, content_type: str = "") -> Prescription:
    reading = read(submission(WireFormat.FHIR, body, content_type), around())
    (order,) = reading.orders
    assert reading.unaccounted == ()
    assert order.prescription is not None, order.issues
    return order.prescription


def as_written(order: TranslatedOrder) -> tuple[Prescription, Prescription]:
    """Give what our message says in JSON, and in XML."""
    assert order.message is not None, order.verdict
    resource = loads(order.message.body)
    assert isinstance(resource, dict)
    return read_again(order.message.body), read_again(fhir_xml().to_xml(resource), FHIR_XML)


def differences(one: object, other: object, at: str = "") -> dict[str, tuple[object, object]]:
    """Give every place where two values differ, by type and by lexeme: 10.0 is not 10."""
    if is_dataclass(one) and type(one) is type(other):
        found = (
            differences(getattr(one, f.name), getattr(other, f.name), f"{at}.{f.name}".strip(".")) for f in fields(one)
        )
    elif isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        found = (differences(a, b, at) for a, b in zip(one, other, strict=True))
    else:
        return {} if (type(one), str(one)) == (type(other), str(other)) else {at: (one, other)}
    return {place: values for part in found for place, values in part.items()}


def unexpected(order: TranslatedOrder, again: Prescription) -> dict[str, tuple[object, object]]:
    """Give the differences that are not listed; words that were made must be in the message."""
    assert order.message is not None
    found = differences(order.prescription, again)
    for place, (before, after) in list(found.items()):
        made = place == "lines.dosages.text" and before == "" and json.dumps(after).encode() in order.message.body
        elsewhere = place.partition(".")[0] in NOT_IN_THE_DIALECT and place != "homecare.provider"
        if made or elsewhere:
            del found[place]
    return found


@pytest.mark.parametrize("name", WHOLE)
def test_an_authored_message_is_the_same_prescription_there_and_back(name: str) -> None:
    order = translated(WireFormat.HL7V2, (GOLDEN / f"hl7v2/{name}.hl7").read_bytes())
    in_json, in_xml = as_written(order)
    assert unexpected(order, in_json) == {}
    assert differences(in_json, in_xml) == {}


@pytest.mark.parametrize("name", sources())
def test_a_message_of_each_format_is_the_same_prescription_there_and_back(name: str) -> None:
    source = sources()[name]
    order = translated(source.form, source.body, source.content_type)
    in_json, in_xml = as_written(order)
    assert unexpected(order, in_json) == {}
    assert differences(in_json, in_xml) == {}


def lexemes(most: int) -> st.SearchStrategy[str]:
    return st.builds(
        lambda whole, rest: f"{whole}.{rest}" if rest else str(whole),
        st.integers(1, most),
        st.text("0123456789", max_size=5),
    )


@settings(max_examples=25, deadline=None)
@given(dose=lexemes(500), quantity=lexemes(90))
@pytest.mark.parametrize("name", sources())
def test_amounts_are_the_same_there_and_back_to_the_last_digit(name: str, dose: str, quantity: str) -> None:
    source = sources()[name]
    given_body = source.saying(dose, quantity)
    reading = read(submission(source.form, given_body, source.content_type), around())
    (order,) = reading.orders
    assert order.prescription is not None, order.issues
    (line,) = order.prescription.lines
    assert (str(line.dosages[0].dose.value), str(line.quantity.value)) == (dose, quantity)  # type: ignore[union-attr]
    carried = translated(source.form, given_body, source.content_type)
    if carried.message is not None:  # a sum that does not come out is held, and nothing is written
        assert unexpected(carried, as_written(carried)[0]) == {}


@pytest.mark.parametrize(("part", "lexeme"), [("dose", "10.0"), ("dose", "10.00"), ("quantity", "4.0")])
@pytest.mark.parametrize("name", sources())
def test_a_changed_decimal_lexeme_is_noticed(name: str, part: str, lexeme: str) -> None:
    source = sources()[name]
    plain = translated(source.form, source.body, source.content_type)
    changed = translated(source.form, source.saying(**{part: lexeme}), source.content_type)
    assert plain.message is not None
    assert changed.message is not None
    assert f'"value":{lexeme},'.encode() in changed.message.body
    assert f'"value":{lexeme},'.encode() not in plain.message.body
    assert encode(plain.prescription) != encode(changed.prescription)
    assert len(differences(plain.prescription, changed.prescription)) == 1


@pytest.mark.parametrize("name", ["HL7 v2", "trust XML"])
def test_what_the_dialect_has_no_place_for_is_in_the_message_all_the_same(name: str) -> None:
    source = sources()[name]
    order = translated(source.form, source.body, source.content_type)
    assert order.message is not None
    assert order.message.unexplained == ()
    bundle: Any = loads(order.message.body)
    kinds = [entry["resource"] for entry in bundle["entry"]]
    assert {"Task", "Provenance"} <= {one["resourceType"] for one in kinds}
    said = text_of(next(one for one in kinds if one["resourceType"] == "Task"))
    assert order.prescription is not None
    homecare = order.prescription.homecare
    for value in (homecare.tier, homecare.registration, homecare.purchase_order, homecare.funding):
        assert value
        assert value in said
    checks = text_of([one for one in kinds if one["resourceType"] in {"Provenance", "Practitioner"}])
    assert "2099991" in checks


def text_of(value: JSON) -> str:
    return json.dumps(value, default=str)
