"""The EPS rules on our own output: what the national service would refuse, found before anything is sealed.

The message is read back from its bytes: what is checked is what would be sent.

Source: eps.md 2.2, 2.3, 2.8, 3.1, 5.3; reliability-security.md 4.3 (J10, J11, J13, J22).
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from gateway.domain.identifiers import PrescriptionNumber
from gateway.domain.issue import Issue
from gateway.domain.message import FhirMessage
from gateway.wire.strict_json import JSON, JsonError, loads

Object: TypeAlias = "dict[str, JSON]"
_TARGETS: Final = re.compile(rb'"reference"\s*:\s*"([^"]*)"').findall
"""Every literal reference in bytes we wrote: within a text a quotation mark is escaped, so that none is met
there. One that is itself escaped is no name of an entry, and is looked at again in the resources."""
_SHARED = ("groupIdentifier", "authoredOn", "subject", "requester", "courseOfTherapyType", "category")


def check_message(message: FhirMessage, locate: Callable[[str], str], bundle: JSON = None) -> Iterator[Issue]:
    """Give every rule of the dialect that the message breaks.

    Args:
        message: as written.
        locate: canonical path to the sender's own place.
        bundle: the message as read back from its bytes, where the caller has done so.
    """
    for path in message.unexplained:
        text = f"The value written at {path} has no account of where it comes from."
        yield Issue(code="FIELD_NOT_UNDERSTOOD", location=path, text=text)
    try:
        whole = _object(bundle if bundle is not None else loads(message.body))
    except JsonError as error:
        yield Issue(
            code="VALUE_INVALID", location=error.location, text=f"The message cannot be read back: {error.text}"
        )
        return
    entries = [_object(entry) for entry in _array(whole.get("entry"))]
    resources = [_object(entry.get("resource")) for entry in entries]
    orders = [one for one in resources if one.get("resourceType") == "MedicationRequest"]
    yield from _structure(message.body, entries, resources, orders)
    yield from _numbers(orders, locate)
    yield from _texts(orders, locate)


def _structure(body: bytes, entries: list[Object], resources: list[Object], orders: list[Object]) -> Iterator[Issue]:
    names = [_text(entry.get("fullUrl")) for entry in entries]
    if not resources or resources[0].get("resourceType") != "MessageHeader":
        yield _fault("Bundle.entry[0]", "The first entry is not the MessageHeader.")
        return
    if len(set(names)) != len(names):
        yield _fault("Bundle.entry.fullUrl", "Two entries have the same id.")
    known = set(names)
    if not {target.decode() for target in _TARGETS(body)} <= known:
        for path in (path for path, target in _references(resources) if target not in known):
            yield Issue(code="REF_UNRESOLVED", location=path, text="The reference leads to no entry of the message.")
    lines = {name for name, one in zip(names, resources, strict=True) if one.get("resourceType") == "MedicationRequest"}
    focus = {_text(_object(one).get("reference")) for one in _array(resources[0].get("focus"))}
    if not lines or not lines <= focus:
        yield _fault("MessageHeader.focus", "The focus does not name every MedicationRequest.")
    if [one.get("resourceType") for one in resources].count("Patient") != 1:
        yield _fault("Bundle.entry", "A message is about one patient.")
    for name in _SHARED:
        if any(order.get(name) != orders[0].get(name) for order in orders[1:]):
            yield _fault(f"MedicationRequest.{name}", "The lines of a prescription must agree in this.")


def _numbers(orders: list[Object], locate: Callable[[str], str]) -> Iterator[Issue]:
    items = [_text(_object(_array(order.get("identifier"))[0]).get("value")) for order in orders]
    for index, item in enumerate(items):
        if item in items[:index]:
            text = "Two items of the prescription have the same id."
            yield Issue(code="IDENTIFIER_INVALID", location=locate(f"lines[{index}].id"), text=text)
    number = _text(_object(orders[0].get("groupIdentifier")).get("value")) if orders else ""
    if PrescriptionNumber.parse(number) is None:
        text = "The prescription number's form or check character is wrong."
        yield Issue(code="SHORTID_CHECK_DIGIT", location=locate("number"), text=text)


def _texts(orders: list[Object], locate: Callable[[str], str]) -> Iterator[Issue]:
    """Find dosages without words: the prescriber gave none, and none can be made from the structure."""
    for index, order in enumerate(orders):
        dosages = [_object(one) for one in _array(order.get("dosageInstruction"))]
        for place, dosage in enumerate(dosages):
            if not dosage.get("text"):
                text = "The directions have no words, and none can be made from the structure."
                yield Issue(code="DOSE_MISSING", location=locate(f"lines[{index}].dosages[{place}]"), text=text)
            if len(dosages) > 1 and not dosage.get("sequence"):
                yield _fault("MedicationRequest.dosageInstruction.sequence", "Several dosages need a sequence.")


def _references(resources: list[Object]) -> Iterator[tuple[str, str]]:
    """Give every literal reference and the FHIRPath of its resource's type."""
    waiting: list[tuple[str, JSON]] = [(str(one.get("resourceType")), one) for one in resources]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            target = value.get("reference")
            if isinstance(target, str):
                yield path, target
            waiting.extend((f"{path}.{key}", below) for key, below in value.items() if isinstance(below, dict | list))
        elif isinstance(value, list):
            waiting.extend((path, below) for below in value)


def _fault(path: str, text: str) -> Issue:
    return Issue(code="FIELD_NOT_UNDERSTOOD", location=path, text=text)


def _object(value: JSON) -> Object:
    return value if isinstance(value, dict) else {}


def _array(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""
