"""The published schema, and its findings in our words: the validator's own would repeat the values it was given.

Source: trust-xml/homecare-prescription-1.0.xsd; XML Schema part 1, validation rules `cvc-*`.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from lxml import etree

from gateway.domain.issue import Issue
from gateway.translate.from_xml.document import NAMESPACE, REPEATED, Document

MOST_ISSUES = 50

_STATED = {
    "SCHEMAV_CVC_PATTERN_VALID": "The value does not have the form that the schema states.",
    "SCHEMAV_CVC_ENUMERATION_VALID": "The value is not one of those that the schema lists.",
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": "The number must be above nought.",
    "SCHEMAV_CVC_MINLENGTH_VALID": "The value is empty.",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "The value is too long.",
}


@cache
def _schema() -> etree.XMLSchema:
    octets = files("gateway.translate").joinpath("homecare-prescription-1.0.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(octets))


def faults(document: Document) -> tuple[Issue, ...]:
    """Give every finding of the schema, located by XPath; at most `MOST_ISSUES`."""
    schema = _schema()
    if schema.validate(document.element):
        return ()
    issues: dict[str, Issue] = {}
    for issue in islice(_issues(schema.error_log, document.element), MOST_ISSUES):
        issues.setdefault(issue.location, issue)  # a facet's finding is followed by the type's for the same place
    return tuple(issues.values())


def _issues(log: Any, root: etree._Element) -> Iterator[Issue]:
    for entry in log:
        place = _place(entry.path or "/*", root)
        attribute = re.search(r", attribute '(?:\{[^}]*\})?([\w.-]{1,64})'", entry.message)
        missing = re.search(r"The attribute '([\w.-]{1,64})' is required", entry.message)
        name = attribute or missing
        yield _issue(entry.type_name, entry.message, f"{place}/@{name[1]}" if name else place)


def _issue(kind: str, message: str, place: str) -> Issue:
    wanted = ", ".join(re.findall(r"\{" + re.escape(NAMESPACE) + r"\}(\w+)", message.partition("Expected is")[2]))
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_4":
        return Issue(code="FIELD_MISSING", location=place, text="The attribute is required.")
    if kind == "SCHEMAV_ELEMENT_CONTENT" and wanted:
        if "NhsNumber" in wanted.split(", ")[:1]:
            return Issue(code="NHSNO_MISSING", location=place, text="NhsNumber is missing before this element.")
        missing = "Missing child" in message
        text = f"The element ends too soon; expected: {wanted}." if missing else f"Expected here: {wanted}."
        return Issue(code="FIELD_MISSING" if missing else "STRUCTURE_INVALID", location=place, text=text)
    if kind in {"SCHEMAV_ELEMENT_CONTENT", "SCHEMAV_CVC_TYPE_3_1_1", "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1"}:
        return Issue(code="STRUCTURE_INVALID", location=place, text="The schema does not know this here.")
    if kind == "SCHEMAV_CVC_MINLENGTH_VALID":
        return Issue(code="FIELD_MISSING", location=place, text=_STATED[kind])
    text = _STATED.get(kind, "The value is not of the type that the schema states.")
    return Issue(code="NHSNO_MISSING" if _empty_number(place, message) else "VALUE_INVALID", location=place, text=text)


def _empty_number(place: str, message: str) -> bool:
    return place.endswith("/NhsNumber") and "The value ''" in message


def _place(path: str, root: etree._Element) -> str:
    namespaces = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    try:
        found = root.getroottree().xpath(path, namespaces=namespaces)
    except etree.XPathError:
        found = []
    first = found[0] if isinstance(found, list) and found else root
    return _xpath(first if etree.iselement(first) else root)


def _xpath(element: etree._Element) -> str:
    parent = element.getparent()
    name = etree.QName(element).localname
    if parent is None:
        return f"/{name}"
    same = [child for child in parent if child.tag == element.tag]
    return _xpath(parent) + (f"/{name}[{same.index(element) + 1}]" if len(same) > 1 or name in REPEATED else f"/{name}")
