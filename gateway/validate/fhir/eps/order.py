"""Rules of a new prescription: eps.md 5.3, 5.7 and 5.8."""

from collections.abc import Iterator
from decimal import Decimal

from gateway.validate.fhir.eps.every_message import RESPONSIBLE
from gateway.validate.fhir.eps.message import (
    NHS,
    UK_CORE,
    Message,
    codes,
    differing,
    extension,
    listed,
    shared_by,
    wrong,
)
from gateway.validate.fhir.finding import Finding, Level
from gateway.validate.fhir.narrow import found_at

COURSES = frozenset({"acute", "continuous"})
REPEAT_DISPENSING = "continuous-repeat-dispensing"
_SHARED = (
    ("groupIdentifier",),
    ("category",),
    ("authoredOn",),
    ("subject",),
    ("requester",),
    ("dispenseRequest", "performer"),
    ("dispenseRequest", "validityPeriod"),
    ("dispenseRequest", "expectedSupplyDuration"),
)
_SHARED_EXTENSIONS = (
    ("", NHS + "Extension-DM-PrescriptionType"),
    ("", RESPONSIBLE),
    ("dispenseRequest", NHS + "Extension-DM-PerformerSiteType"),
)
_ELEMENTS = dict.fromkeys(("extension", *(path[0] for path in _SHARED)))
_REPEAT_INFORMATION = UK_CORE + "Extension-UKCore-MedicationRepeatInformation"
_PRESCRIPTION_TYPE = NHS + "Extension-DM-PrescriptionType"
_ITEM_NUMBER = "https://fhir.nhs.uk/Id/prescription-order-item-number"
_MOST_DAYS = 366


def shared(message: Message) -> Iterator[Finding]:
    """Want the same value on every line, in what belongs to the whole prescription."""
    lines = message.of("MedicationRequest")
    if len(lines) < 2:  # noqa: PLR2004 - one line cannot differ from itself
        return
    alike = {name for name in _ELEMENTS if shared_by(lines, name)}
    for path in _SHARED:
        if path[0] not in alike and differing(lines, path):
            yield _differs(".".join(path))
    for parent, url in _SHARED_EXTENSIONS:
        if (parent or "extension") in alike:
            continue
        values = [extension(line.get(parent) if parent else line, url) for _, line in lines]
        if any(value != values[0] for value in values):
            yield _differs(".".join(filter(None, (parent, "extension"))), url.rpartition("-")[2])


def _differs(path: str, name: str = "") -> Finding:
    text = "expected all MedicationRequests to have the same value" + (f" ({name})" if name else "")
    return wrong(f"5.3 {path.rpartition('.')[2]}{name and ' ' + name}", "value", f"MedicationRequest.{path}", text)


def statuses(message: Message) -> Iterator[Finding]:
    """Want an active line."""
    for place, line in message.of("MedicationRequest"):
        if line.get("status") != "active":
            yield wrong("5.3 status", "value", f"{place}.status", "status must be active")


def item_numbers(message: Message) -> Iterator[Finding]:
    """Want another item number on each line, in whatever case it is written (eps.md 10, trap 7)."""
    seen: set[str] = set()
    for place, line in message.of("MedicationRequest"):
        numbers = {
            str(one.get("value")).upper()
            for one in listed(line, "identifier")
            if isinstance(one, dict) and one.get("system") == _ITEM_NUMBER
        }
        if numbers & seen:
            yield wrong("5.3 identifier", "value", f"{place}.identifier", "expected a different value for identifier")
        seen |= numbers


def dosages(message: Message) -> Iterator[Finding]:
    """Want directions, and their order where there are several."""
    for place, line in message.of("MedicationRequest"):
        several = line.get("dosageInstruction")
        if not several:
            text = "required field dosageInstruction is missing"
            yield wrong("5.3 dosage", "invalid", f"{place}.dosageInstruction", text)
        elif (
            isinstance(several, list) and len(several) > 1 and not all(found_at(one, ("sequence",)) for one in several)
        ):
            text = "multiple dosage lines but no sequence number (MISSING_VALUE)"
            yield wrong("5.3 sequence", "invalid", f"{place}.dosageInstruction", text)


def primary_care(message: Message) -> Iterator[Finding]:
    """Keep prescriptions of type 01xx to the primary-care form of organisation."""
    types = [extension(line, _PRESCRIPTION_TYPE) for _, line in message.of("MedicationRequest")[:1]]
    if not any(str(code).startswith("01") for code in found_at(types[0] if types else None, ("valueCoding", "code"))):
        return
    for place, role in message.of("PractitionerRole"):
        if "healthcareService" in role:
            yield wrong(
                "5.3 primary care", "invalid", f"{place}.healthcareService", "unexpected field healthcareService"
            )
    for place, organisation in message.of("Organization"):
        if "partOf" not in organisation:
            yield wrong("5.3 primary care", "invalid", f"{place}.partOf", "required field partOf is missing")


def requesters(message: Message) -> Iterator[Finding]:
    """Want a requester that is a role in this message, with its organisation by reference."""
    for place, line in message.of("MedicationRequest")[:1]:
        role = message.target(line.get("requester"))
        if role is None or role.get("resourceType") != "PractitionerRole":
            text = "the requester must be a PractitionerRole of this message"
            yield wrong("5.3 requester", "invalid", f"{place}.requester", text)
        elif not found_at(role, ("organization", "reference")):
            text = "the requester's organization must be a reference within the Bundle"
            yield wrong("5.3 organization", "invalid", "PractitionerRole.organization", text)


def general_practitioner_numbers(message: Message) -> Iterator[Finding]:
    """Refuse a GMP number as the prescriber's professional code."""
    for place, person in message.of("Practitioner"):
        for index, one in enumerate(listed(person, "identifier")):
            if isinstance(one, dict) and str(one.get("system")).endswith("/Id/gmp-number"):
                text = "expected exactly one professional code from GMC, NMC, GPhC, HCPC, professional-code"
                yield wrong("5.3 gmp-number", "value", f"{place}.identifier[{index}]", text)


def courses(message: Message) -> Iterator[Finding]:
    """Want one course of therapy, or a mix of acute and continuous (eps.md 2.10)."""
    lines = message.of("MedicationRequest")
    found = {code for _, line in lines for code in codes(line.get("courseOfTherapyType"))}
    if len(found) > 1 and not found <= COURSES:
        text = "expected one course of therapy, or acute and continuous (INVALID_VALUE)"
        yield wrong("5.7 course", "invalid", "MedicationRequest.courseOfTherapyType.coding", text)


def repeat_dispensing(message: Message) -> Iterator[Finding]:
    """Want what a repeat-dispensing prescription needs to be issued from."""
    lines = message.of("MedicationRequest")
    if not lines or REPEAT_DISPENSING not in codes(lines[0][1].get("courseOfTherapyType")):
        return
    first = lines[0][1]
    for name in ("validityPeriod", "expectedSupplyDuration"):
        if not found_at(first, ("dispenseRequest", name)):
            yield wrong(f"5.3 {name}", "value", f"MedicationRequest.dispenseRequest.{name}", "expected a value")
    allowed = ("dispenseRequest", "numberOfRepeatsAllowed")
    if not found_at(first, allowed):
        yield wrong("5.7 repeats", "invalid", "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed", "is required")
    if differing(lines, allowed):
        yield _differs("dispenseRequest.numberOfRepeatsAllowed")
    stated = [extension(line, _REPEAT_INFORMATION) for _, line in lines]
    if stated[0] and any(one != stated[0] for one in stated):
        yield _differs("extension", "MedicationRepeatInformation")


def durations(message: Message) -> Iterator[Finding]:
    """Want a supply in days, at most a year of them (5.7, 5.8)."""
    for place, line in message.of("MedicationRequest"):
        for duration in found_at(line, ("dispenseRequest", "expectedSupplyDuration")):
            where = f"{place}.dispenseRequest.expectedSupplyDuration"
            if not isinstance(duration, dict) or duration.get("code") != "d":
                yield wrong("5.7 duration", "invalid", where, "must be in days, code d (INVALID_VALUE)")
            elif not _between(duration.get("value"), _MOST_DAYS):
                yield wrong("5.8 duration", "invalid", where, f"must be 0 to {_MOST_DAYS} days")


def _between(value: object, most: int) -> bool:
    return not isinstance(value, int | Decimal) or 0 <= value <= most


def signatures(message: Message) -> Iterator[Finding]:
    """Want at most one signature of the requester."""
    lines = message.of("MedicationRequest")
    signer = found_at(lines[0][1], ("requester", "reference")) if lines else []
    signed = [
        place
        for place, provenance in message.of("Provenance")
        for who in found_at(provenance, ("signature", "who", "reference"))
        if [who] == signer
    ]
    if len(signed) > 1:
        yield wrong("5.7 signature", "invalid", f"{signed[1]}.signature", "expected at most one requester signature")


def addresses(message: Message) -> Iterator[Finding]:
    """Tell of what EPS needs only to translate and to sign: a job role, one telecom, one address (5.7).

    Organisations of another system's copy lack these often, so that it is a warning and not an error.
    """
    for place, organisation in message.of("Organization"):
        for name in ("telecom", "address"):
            if len(listed(organisation, name)) != 1:
                text = f"EPS needs exactly one {name} to translate and sign"
                yield wrong(f"5.7 {name}", "invalid", f"{place}.{name}", text, Level.WARNING)
    for place, role in message.of("PractitionerRole"):
        if not any(isinstance(one, dict) for one in found_at(role, ("code", "coding"))):
            yield wrong("5.7 job role", "invalid", f"{place}.code", "EPS needs a job role to translate", Level.WARNING)
