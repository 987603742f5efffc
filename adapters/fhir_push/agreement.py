"""What the items of one dispense notification must agree in: it is about one patient and one hand-over.

Of a notification whose items disagree nobody can say what it means, so that nothing of it is followed.

====================================  ==========================================================
rule of eps.md 5.5                    here
====================================  ==========================================================
same whenHandedOver                   among items that have one: an item that waits was not handed over
same subject                          always; and it must be the patient of the message (the store compares)
same RepeatInformation                among items that have one
same performer, one in every item     one performer in all; none is needed, for the sender is known
not both forms of medication          always
same NonDispensingReason              among items that have one
====================================  ==========================================================

Source: eps.md 5.5; mapping.md 9.3.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from adapters.fhir_push import statuses
from adapters.fhir_push.members import Resource, object_in, objects_in, text_in
from gateway.wire.strict_json import JSON

_FORMS: Final = frozenset({"medicationCodeableConcept", "medicationReference"})


def disagreements(items: Sequence[tuple[str, Resource]]) -> Iterator[tuple[str, str]]:
    """Give the place and the words of everything in which items contradict each other or themselves.

    Args:
        items: each MedicationDispense with its place.
    """
    for place, item in items:
        if item.keys() >= _FORMS:
            yield place, "Send the medication as a code or as a reference, not both."
    for name, read in _SHARED.items():
        said = [read(item) for _, item in items]
        told = [value for value in said if value not in (None, "", [], {})]
        if any(value != told[0] for value in told):
            yield f"entry.resource.{name}", f"Every item of a notification has the same {name}."


def patient_of(items: Sequence[tuple[str, Resource]]) -> str:
    """Give the NHS number that the items are for; "" where none is stated."""
    return next(filter(None, (nhs_number(object_in(item, "subject")) for _, item in items)), "")


def nhs_number(reference: Resource) -> str:
    """Give the digits of the NHS number that a reference names its patient by; "" where it does not."""
    identifier = object_in(reference, "identifier")
    stated = text_in(identifier, "value") if identifier.get("system") == statuses.NHS_NUMBER else ""
    return "".join(stated.split())


def _performers(item: Resource) -> JSON:
    """Give who dispensed: by identifier where there is one, for a reference to a contained role says nothing."""
    return [
        text_in(object_in(object_in(one, "actor"), "identifier"), "value")
        or text_in(object_in(one, "actor"), "reference")
        for one in objects_in(item, "performer")
    ]


def _repeats(item: Resource) -> JSON:
    told = (one for one in objects_in(item, "extension") if one.get("url") == statuses.REPEATS_URL)
    return next((one.get("extension") for one in told), None)


def _reason(item: Resource) -> JSON:
    named = (one for one in objects_in(item, "extension") if one.get("url") == statuses.NON_DISPENSING_URL)
    return next((text_in(object_in(one, "valueCoding"), "code") for one in named), "")


_SHARED: Final[dict[str, Callable[[Resource], JSON]]] = {
    "whenHandedOver": lambda item: text_in(item, "whenHandedOver"),
    "subject": lambda item: nhs_number(object_in(item, "subject")),
    "performer": _performers,
    "extension:repeatInformation": _repeats,
    "extension:prescriptionNonDispensingReason": _reason,
}
