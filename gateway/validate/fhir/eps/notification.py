"""Rules of a dispense notification: eps.md 5.5."""

from collections.abc import Iterator

from gateway.validate.fhir.eps.message import NHS, Json, Message, at, differing, extension, wrong
from gateway.validate.fhir.finding import Finding
from gateway.validate.fhir.narrow import found_at

_RELATIONSHIPS = NHS + "Extension-ODS-OrganisationRelationships"
_REPEATS = NHS + "Extension-EPS-RepeatInformation"
_REASON = NHS + "Extension-DM-PrescriptionNonDispensingReason"


def shared(message: Message) -> None:
    """Want the same value on every item, in what belongs to the whole hand-over."""
    items = message.of["MedicationDispense"]
    for path in (("whenHandedOver",), ("subject", "identifier", "value"), ("performer", "actor", "reference")):
        if differing(items, path):
            message.tell(_differs(path[0]))
    for url in (_REPEATS, _REASON):
        values = [extension(item, url) for _, item in items]
        # Items that were dispensed have no reason why not; those that have one must agree.
        told = [value for value in values if value is not None] if url == _REASON else values
        if any(value != told[0] for value in told):
            message.tell(_differs("extension", url.rpartition("-")[2]))


def _differs(name: str, detail: str = "") -> Finding:
    text = "expected all MedicationDispenses to have the same value" + (f" ({detail})" if detail else "")
    return wrong(f"5.5 {detail or name}", "value", f"MedicationDispense.{name}", text)


def performers(message: Message) -> None:
    """Want a performer on every item; in its contained role a named person and a referenced organisation."""
    for index, item in message.of["MedicationDispense"]:
        if not found_at(item, ("performer", "actor")):
            text = "expected a value for performer.ofType(PractitionerRole)"
            message.tell(wrong("5.5 performer", "value", at(index, "performer"), text))
        for number, role in enumerate(found_at(item, ("contained",))):
            if type(role) is dict and role.get("resourceType") == "PractitionerRole":
                message.findings += contained_role("5.5", at(index, f"contained[{number}]"), role)


def contained_role(section: str, place: str, role: Json) -> Iterator[Finding]:
    """Want a professional by identifier and display, never by reference, in a role of an organisation by reference."""
    if found_at(role, ("practitioner", "reference")):
        text = "must be an Identifier and a Display, not a reference"
        yield wrong(f"{section} practitioner", "invalid", f"{place}.practitioner", text)
    if not found_at(role, ("organization", "reference")):
        text = "must be a reference (INVALID_VALUE)"
        yield wrong(f"{section} organization", "invalid", f"{place}.organization", text)


def authorities(message: Message) -> None:
    """Want the reimbursement authority of the organisation that dispensed."""
    for index, organisation in message.of["Organization"]:
        told = extension(organisation, _RELATIONSHIPS)
        if told is None:
            text = "the reimbursement authority is missing"
            message.tell(wrong("5.5 authority", "invalid", at(index, "extension"), text))
        elif not found_at(extension(told, "reimbursementAuthority"), ("valueIdentifier", "value")):
            text = "the ODS code of the reimbursement authority is missing"
            message.tell(wrong("5.5 authority", "invalid", at(index, "extension"), text))
