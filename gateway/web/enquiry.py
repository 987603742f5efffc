"""What a status search asks for, read strictly from its parameters.

A search names exactly one of: a number of the prescription or order, the control id of the trust's own message, or the
patient's NHS number, and the last only in the body of a POST (D16). A parameter that is not known, or that comes twice,
is refused: a search that silently ignores a condition answers another question.

Source: FHIR R4 http.html (search, POST `_search`); eps.md 1.10; reliability-security.md 4.4 (W14, W15, W16).
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from gateway.domain.identifiers import NhsNumber, PrescriptionNumber
from gateway.domain.issue import Issue
from gateway.web.turned import Turned

NUMBERS: Final = ("identifier", "group-identifier", "focus:identifier")
"""A prescription number, an order number or a group number; EPS calls the first `focus:identifier`."""
MESSAGE: Final = "message-identifier"
"""The control id of the caller's own message; ours, not FHIR's."""
PATIENT: Final = "patient:identifier"
COUNT: Final = "_count"

NHS_NUMBER_SYSTEM: Final = "https://fhir.nhs.uk/Id/nhs-number"
MOST: Final = 50
"""Prescriptions in one answer."""
_DEFAULT: Final = 20
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Exactly one of the first four is filled.

    Attributes:
        count: how many prescriptions the caller wants at most.
    """

    number: str = ""
    order_number: str = ""
    control_id: str = ""
    nhs_number: str = field(default="", repr=False)
    count: int = _DEFAULT


def by_get(query: str) -> Search:
    """Read the query of a GET.

    Raises:
        Turned: 400; a search by NHS number is refused with the advice to use POST.
    """
    return _search(_pairs(query), in_address=True)


def by_post(form: bytes, query: str) -> Search:
    """Read the form of a POST to `_search`.

    Raises:
        Turned: 400.
    """
    if query:
        raise _invalid("Send the search in the body alone.")
    try:
        text = form.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid("Send the form in UTF-8.") from None
    return _search(_pairs(text), in_address=False)


def _pairs(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=8, errors="strict")
    except ValueError:
        raise _invalid("The search parameters are not well-formed.") from None
    named = dict(pairs)
    if len(named) != len(pairs):
        raise _invalid("Name each search parameter once.")
    if any(len(value) > _LONGEST or not value.isprintable() for value in named.values()):
        raise _invalid(f"A value is at most {_LONGEST} printable characters.")
    return named


def _search(named: dict[str, str], *, in_address: bool) -> Search:
    count = _count(named.pop(COUNT, str(_DEFAULT)))
    named.pop("_format", None)
    if len(named) != 1:
        raise _invalid(f"Search by exactly one of {', '.join((*NUMBERS, MESSAGE, PATIENT))}.")
    ((name, given),) = named.items()
    system, bar, text = given.rpartition("|")
    if name.partition(":")[0].partition(".")[0] in {"patient", "subject", "for"} or system == NHS_NUMBER_SYSTEM:
        return _by_patient(name, text, count, in_address=in_address)
    if not (text if bar else given):
        raise _invalid("The value is empty.")
    if name == MESSAGE:
        return Search(control_id=text, count=count)
    if name not in NUMBERS:
        raise _invalid(f"Search by exactly one of {', '.join((*NUMBERS, MESSAGE, PATIENT))}.")
    if PrescriptionNumber.parse(text.upper()):
        return Search(number=text.upper(), count=count)
    return Search(order_number=text, count=count)


def _by_patient(name: str, text: str, count: int, *, in_address: bool) -> Search:
    if in_address:
        text = "A search by NHS number is sent as a form to POST /FHIR/R4/Task/_search."
        raise Turned(400, Issue(code="PATIENT_DATA_IN_ADDRESS", location="", text=text))
    if name not in {PATIENT, "patient.identifier", *NUMBERS}:
        raise _invalid(f"Search by {PATIENT}.")
    number = NhsNumber.parse(text)
    if number is None:
        raise Turned(400, Issue(code="NHSNO_CHECK_DIGIT", location=PATIENT, text="This is not a valid NHS number."))
    return Search(nhs_number=number.value, count=count)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MOST:
        raise _invalid(f"{COUNT} is a number from 1 to {MOST}.")
    return int(text)


def _invalid(text: str) -> Turned:
    return Turned(400, Issue(code="REQUEST_INVALID", location="", text=text))
