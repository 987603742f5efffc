"""Rules of a new prescription: eps.md 5.3, 5.7 and 5.8."""

from decimal import Decimal

from gateway.validate.fhir.eps.every_message import RESPONSIBLE
from gateway.validate.fhir.eps.message import (
    NHS,
    UK_CORE,
    Message,
    at,
    codes,
    differing,
    extension,
    listed,
    wrong,
)
from gateway.validate.fhir.finding import Finding, Level
from gateway.validate.fhir.narrow import found_at

COURSES = frozenset({"acute", "continuous"})
REPEAT_DISPENSING = "continuous-repeat-dispensing"
_SHARED = ("groupIdentifier", "category", "authoredOn", "subject", "requester", "extension")
_SHARED_OF_REQUEST = ("performer", "validityPeriod", "expectedSupplyDuration", "extension")
_SHARED_EXTENSIONS = (
    ("", NHS + "Extension-DM-PrescriptionType"),
    ("", RESPONSIBLE),
    ("dispenseRequest", NHS + "Extension-DM-PerformerSiteType"),
)
_REPEAT_INFORMATION = UK_CORE + "Extension-UKCore-MedicationRepeatInformation"
_PRESCRIPTION_TYPE = NHS + "Extension-DM-PrescriptionType"
_ITEM_NUMBER = "https://fhir.nhs.uk/Id/prescription-order-item-number"
_MOST_DAYS = 366


def shared(message: Message) -> None:
    """Want the same value on every line, in what belongs to the whole prescription."""
    lines = [line for _, line in message.of["MedicationRequest"]]
    requests = [one if type(one := line.get("dispenseRequest")) is dict else {} for line in lines]
    for parent, elements, names in (("", lines, _SHARED), ("dispenseRequest", requests, _SHARED_OF_REQUEST)):
        apart = [name for one in elements[1:] for name in names if one.get(name) != elements[0].get(name)]
        for name in dict.fromkeys(apart):
            if name != "extension":
                message.tell(_differs(".".join(filter(None, (parent, name)))))
                continue
            for within, url in _SHARED_EXTENSIONS:
                if within == parent and any(extension(one, url) != extension(elements[0], url) for one in elements[1:]):
                    message.tell(_differs(".".join(filter(None, (parent, name))), url.rpartition("-")[2]))


def _differs(path: str, name: str = "") -> Finding:
    text = "expected all MedicationRequests to have the same value" + (f" ({name})" if name else "")
    return wrong(f"5.3 {path.rpartition('.')[2]}{name and ' ' + name}", "value", f"MedicationRequest.{path}", text)


def statuses(message: Message) -> None:
    """Want an active line."""
    for index, line in message.of["MedicationRequest"]:
        if line.get("status") != "active":
            message.tell(wrong("5.3 status", "value", at(index, "status"), "status must be active"))


def item_numbers(message: Message) -> None:
    """Want another item number on each line, in whatever case it is written (eps.md 10, trap 7)."""
    seen: set[str] = set()
    lines = message.of["MedicationRequest"]
    for index, line in lines if len(lines) > 1 else ():
        numbers = {
            str(one.get("value")).upper()
            for one in listed(line, "identifier")
            if type(one) is dict and one.get("system") == _ITEM_NUMBER
        }
        if numbers & seen:
            text = "expected a different value for identifier"
            message.tell(wrong("5.3 identifier", "value", at(index, "identifier"), text))
        seen |= numbers


def dosages(message: Message) -> None:
    """Want directions, and their order where there are several."""
    for index, line in message.of["MedicationRequest"]:
        several = line.get("dosageInstruction")
        if not several:
            text = "required field dosageInstruction is missing"
            message.tell(wrong("5.3 dosage", "invalid", at(index, "dosageInstruction"), text))
        elif type(several) is list and len(several) > 1 and not all(found_at(one, ("sequence",)) for one in several):
            text = "multiple dosage lines but no sequence number (MISSING_VALUE)"
            message.tell(wrong("5.3 sequence", "invalid", at(index, "dosageInstruction"), text))


def primary_care(message: Message) -> None:
    """Keep prescriptions of type 01xx to the primary-care form of organisation."""
    lines = message.of["MedicationRequest"]
    kind = found_at(extension(lines[0][1], _PRESCRIPTION_TYPE), ("valueCoding", "code")) if lines else []
    if not (kind and str(kind[0]).startswith("01")):
        return
    for index, role in message.of["PractitionerRole"]:
        if "healthcareService" in role:
            text = "unexpected field healthcareService"
            message.tell(wrong("5.3 primary care", "invalid", at(index, "healthcareService"), text))
    for index, organisation in message.of["Organization"]:
        if "partOf" not in organisation:
            message.tell(wrong("5.3 primary care", "invalid", at(index, "partOf"), "required field partOf is missing"))


def requesters(message: Message) -> None:
    """Want a requester that is a role in this message, with its organisation by reference."""
    for index, line in message.of["MedicationRequest"][:1]:
        role = message.target(line.get("requester"))
        if role is None or role.get("resourceType") != "PractitionerRole":
            text = "the requester must be a PractitionerRole of this message"
            message.tell(wrong("5.3 requester", "invalid", at(index, "requester"), text))
        elif not found_at(role, ("organization", "reference")):
            text = "the requester's organization must be a reference within the Bundle"
            message.tell(wrong("5.3 organization", "invalid", "PractitionerRole.organization", text))


def general_practitioner_numbers(message: Message) -> None:
    """Refuse a GMP number as the prescriber's professional code."""
    for index, person in message.of["Practitioner"]:
        for number, one in enumerate(listed(person, "identifier")):
            if type(one) is dict and str(one.get("system")).endswith("/Id/gmp-number"):
                text = "expected exactly one professional code from GMC, NMC, GPhC, HCPC, professional-code"
                message.tell(wrong("5.3 gmp-number", "value", at(index, f"identifier[{number}]"), text))


def courses(message: Message) -> None:
    """Want one course of therapy, or a mix of acute and continuous (eps.md 2.10)."""
    lines = message.of["MedicationRequest"]
    found = {code for _, line in lines for code in codes(line.get("courseOfTherapyType"))}
    if len(found) > 1 and not found <= COURSES:
        text = "expected one course of therapy, or acute and continuous (INVALID_VALUE)"
        message.tell(wrong("5.7 course", "invalid", "MedicationRequest.courseOfTherapyType.coding", text))


def repeat_dispensing(message: Message) -> None:
    """Want what a repeat-dispensing prescription needs to be issued from."""
    lines = message.of["MedicationRequest"]
    if not lines or REPEAT_DISPENSING not in codes(lines[0][1].get("courseOfTherapyType")):
        return
    first = lines[0][1]
    for name in ("validityPeriod", "expectedSupplyDuration"):
        if not found_at(first, ("dispenseRequest", name)):
            message.tell(wrong(f"5.3 {name}", "value", f"MedicationRequest.dispenseRequest.{name}", "expected a value"))
    allowed = ("dispenseRequest", "numberOfRepeatsAllowed")
    if not found_at(first, allowed):
        message.tell(
            wrong("5.7 repeats", "invalid", "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed", "is required")
        )
    if differing(lines, allowed):
        message.tell(_differs("dispenseRequest.numberOfRepeatsAllowed"))
    stated = [extension(line, _REPEAT_INFORMATION) for _, line in lines]
    if stated[0] and any(one != stated[0] for one in stated):
        message.tell(_differs("extension", "MedicationRepeatInformation"))


def durations(message: Message) -> None:
    """Want a supply in days, at most a year of them (5.7, 5.8)."""
    for index, line in message.of["MedicationRequest"]:
        for duration in found_at(line, ("dispenseRequest", "expectedSupplyDuration")):
            where = at(index, "dispenseRequest.expectedSupplyDuration")
            if type(duration) is not dict or duration.get("code") != "d":
                message.tell(wrong("5.7 duration", "invalid", where, "must be in days, code d (INVALID_VALUE)"))
            elif not _between(duration.get("value"), _MOST_DAYS):
                message.tell(wrong("5.8 duration", "invalid", where, f"must be 0 to {_MOST_DAYS} days"))


def _between(value: object, most: int) -> bool:
    return not isinstance(value, int | Decimal) or 0 <= value <= most


def addresses(message: Message) -> None:
    """Tell of what EPS needs only to translate and to sign: a job role, one telecom, one address (5.7).

    Organisations of another system's copy lack these often, so that it is a warning and not an error.
    """
    for index, organisation in message.of["Organization"]:
        for name in ("telecom", "address"):
            if type(held := organisation.get(name)) is not list or len(held) != 1:
                text = f"EPS needs exactly one {name} to translate and sign"
                message.tell(wrong(f"5.7 {name}", "invalid", at(index, name), text, Level.WARNING))
    for index, role in message.of["PractitionerRole"]:
        if not found_at(role, ("code", "coding")):
            text = "EPS needs a job role to translate"
            message.tell(wrong("5.7 job role", "invalid", at(index, "code"), text, Level.WARNING))
